// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the breaker's tests share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "fuseboard/breaker/circuit_breaker.h"
#include "fuseboard/core/clock.h"

namespace fuseboard {

inline Outcome failed(Category category = Category::timeout) { return Outcome::failed(Failure::of(category)); }

// Admission that the test expects to succeed.
template <typename Breaker>
BreakerPermit acquired(Breaker& breaker) {
  auto permit = breaker.try_acquire();
  if (permit) return std::move(*permit);
  ADD_FAILURE() << "refused: " << name(permit.error().reason);
  return {};
}

template <typename Breaker>
void call(Breaker& breaker, const Outcome& outcome) {
  acquired(breaker).settle(outcome);
}

// Refusal that the test expects.
template <typename Breaker>
Rejection rejected(Breaker& breaker) {
  auto permit = breaker.try_acquire();
  if (!permit) return permit.error();
  ADD_FAILURE() << "admitted";
  return {.reason = RejectionReason::deadline_exceeded};
}

// Fails until it is open.
template <typename Breaker>
void trip(Breaker& breaker, std::uint32_t failures) {
  for (std::uint32_t i = 0; i < failures; ++i) call(breaker, failed());
}

}  // namespace fuseboard
