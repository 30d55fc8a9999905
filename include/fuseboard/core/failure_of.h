// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an error says by itself: the failure that it is where nobody has classified it.
//
// An error type of one's own takes part by a function in its namespace:
//
//   namespace mine {
//   fuseboard::Failure failure_of(const HttpError& error);
//   }
#pragma once

#include <concepts>
#include <exception>
#include <optional>
#include <system_error>

#include "fuseboard/core/category.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard {

// Codes of the standard library's and of others' enumerations, std::errc, and whatever else converts to such a code.
template <typename T>
concept ErrorCode =
    std::convertible_to<const T&, std::error_code> || std::convertible_to<const T&, std::error_condition>;

// As the standard has it: a code where it is one, else a condition.
template <ErrorCode T>
auto standard_error(const T& error) {
  if constexpr (std::convertible_to<const T&, std::error_code>) {
    return static_cast<std::error_code>(error);
  } else {
    return static_cast<std::error_condition>(error);
  }
}

// nullopt: no error. timed_out is a timeout, operation_canceled is cancelled, every other error an execution error; but
// for what was cancelled they count against the target [BRK-19.5].
std::optional<Failure> failure_of(const std::error_code& error) noexcept;
std::optional<Failure> failure_of(const std::error_condition& error) noexcept;
// Cancelled where it says so (core/cancelled.h); a std::system_error as its code says; everything else is an execution
// error that counts.
Failure failure_of(const std::exception& thrown) noexcept;
// Inside a catch block: the same of the exception that is being handled, whatever its type.
Failure failure_of_handled() noexcept;

// What is judged already.
inline Failure failure_of(const Failure& failure) noexcept { return failure; }
inline Failure failure_of(Category category) noexcept { return Failure::of(category); }

}  // namespace fuseboard
