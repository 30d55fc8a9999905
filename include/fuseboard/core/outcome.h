// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What happened to an attempt, in the form that every policy understands.
#pragma once

#include <optional>
#include <string_view>

#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Whether a failure is evidence against its target. `by_category` leaves it to the breaker's own set [BRK-19]; the
// other two are departures that a classification found (a crashed callee counts, our own exhaustion does not).
enum class Evidence : std::uint8_t { by_category, counts, does_not_count };

// What a refusal speaks of, where it says so: the narrower, the fewer it is held against [FBK-6, LIM-4].
enum class FailureScope : std::uint8_t {
  unnamed,   // of a refused credential or a quota: the credential; of a throttle: the target
  model,     // the credential with this model
  endpoint,  // the credential at this endpoint
  caller,    // what the caller brought: its organization, its project, its own credential
  request,   // this request alone, as one that is larger than what may be sent at once
};
std::string_view name(FailureScope scope) noexcept;

// A judged failure. Trivially copyable; a classifier makes it, policies read it. What is not named has the properties
// of the category: {.category = Category::network} is retried. A category that is assigned later changes nothing else.
struct Failure {
  Category category = Category::execution_error;
  bool retryable = properties(category).retryable;  // the same target may succeed later
  bool fallback = properties(category).fallback;    // another target may succeed
  Evidence evidence = Evidence::by_category;
  std::optional<Duration> retry_after{};  // the server's hint, unclamped, >= 0
  FailureScope scope = FailureScope::unnamed;

  // The category with the properties of its row in the table.
  static Failure of(Category category, std::optional<Duration> retry_after = std::nullopt) noexcept;

  friend bool operator==(const Failure&, const Failure&) noexcept = default;
};

// What a breaker or limiter makes of an outcome.
enum class Verdict : std::uint8_t { success, failure, throttled, neutral };
std::string_view name(Verdict verdict) noexcept;

// The end of one attempt. Trivially copyable.
struct Outcome {
  std::optional<Failure> failure{};  // nullopt: success
  // Of a stream: time to its first content. Zero: not told; a breaker's permit measures it where a rule needs it.
  Duration latency = Duration::zero();

  static constexpr Outcome success(Duration latency = Duration::zero()) noexcept { return {.latency = latency}; }
  static Outcome failed(Failure failure, Duration latency = Duration::zero()) noexcept {
    return {.failure = failure, .latency = latency};
  }
  // The caller stopped it: neutral for every policy.
  static Outcome cancelled(Duration latency = Duration::zero()) noexcept {
    return failed(Failure::of(Category::cancelled), latency);
  }

  bool ok() const noexcept { return !failure.has_value(); }
};

// The verdict of a breaker that counts the categories of `trips_on` [BRK-19]. A rate limit is `throttled` unless the
// set names it; every other category outside the set is `neutral`.
Verdict verdict_of(const Outcome& outcome, CategorySet trips_on) noexcept;

}  // namespace fuseboard
