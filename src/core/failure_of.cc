// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/failure_of.h"

#include "fuseboard/core/cancelled.h"

namespace fuseboard {
namespace {

Failure counted(Category category) noexcept {
  Failure failure = Failure::of(category);
  failure.evidence = Evidence::counts;
  return failure;
}

// A code or a condition: both compare alike.
template <typename Error>
std::optional<Failure> failure_of_error(const Error& error) noexcept {
  if (!error) return std::nullopt;
  if (error == std::errc::operation_canceled) return Failure::of(Category::cancelled);
  return counted(error == std::errc::timed_out ? Category::timeout : Category::execution_error);
}

}  // namespace

std::optional<Failure> failure_of(const std::error_code& error) noexcept { return failure_of_error(error); }

std::optional<Failure> failure_of(const std::error_condition& error) noexcept { return failure_of_error(error); }

Failure failure_of(const std::exception& thrown) noexcept {
  if (is_cancellation(thrown)) return Failure::of(Category::cancelled);
  const auto* const error = dynamic_cast<const std::system_error*>(&thrown);
  // An exception without a code is one nevertheless.
  const auto said = error != nullptr ? failure_of(error->code()) : std::nullopt;
  return said.value_or(counted(Category::execution_error));
}

Failure failure_of_handled() noexcept {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return failure_of(thrown);
  } catch (...) {
    return counted(Category::execution_error);
  }
}

}  // namespace fuseboard
