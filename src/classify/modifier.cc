// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/modifier.h"

#include <array>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, kModifierCount> kNames = {
    "none",
    "request_exceeds_window",
    "bad_model_output",
    "callee_broke",
    "capability_mismatch",
    "untrusted_certificate",
    "own_exhaustion",
    "conflict",
};

}  // namespace

std::string_view name(Modifier modifier) noexcept { return kNames[static_cast<std::size_t>(modifier)]; }

std::optional<Modifier> modifier_from_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Modifier>(i);
  }
  return std::nullopt;
}

Failure make_failure(Category category, Modifier modifier) noexcept {
  Failure failure = Failure::of(category);
  switch (modifier) {
    case Modifier::none:
      break;
    case Modifier::request_exceeds_window:
      failure.retryable = false;
      failure.evidence = Evidence::does_not_count;
      failure.scope = FailureScope::request;
      break;
    case Modifier::untrusted_certificate:
      failure.retryable = false;
      break;
    case Modifier::conflict:
      failure.retryable = true;
      break;
    case Modifier::bad_model_output:
      failure.retryable = true;
      failure.fallback = true;
      break;
    case Modifier::callee_broke:
      failure.evidence = Evidence::counts;
      break;
    case Modifier::capability_mismatch:
      failure.fallback = true;
      break;
    case Modifier::own_exhaustion:
      failure.evidence = Evidence::does_not_count;
      failure.fallback = false;
      break;
  }
  return failure;
}

bool trips_breaker(const Failure& failure) noexcept {
  if (failure.evidence == Evidence::by_category) return kTrippingCategories.contains(failure.category);
  return failure.evidence == Evidence::counts;
}

}  // namespace fuseboard
