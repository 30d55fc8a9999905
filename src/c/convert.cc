// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "c/convert.h"

#include <algorithm>
#include <limits>
#include <string>

#include "c/boundary.h"

namespace fuseboard::c_api {
namespace {

// The numbers of the C API are those of the enumerators, for ever.
static_assert(FUSEBOARD_CATEGORY_COUNT == kCategoryCount);
static_assert(FUSEBOARD_CATEGORY_RATE_LIMIT == static_cast<int>(Category::rate_limit));
static_assert(FUSEBOARD_CATEGORY_EXECUTION_ERROR == static_cast<int>(Category::execution_error));
static_assert(FUSEBOARD_REASON_RATE_LIMITED == static_cast<int>(RejectionReason::rate_limited));
static_assert(FUSEBOARD_REASON_QUEUE_FULL == static_cast<int>(RejectionReason::queue_full));
static_assert(FUSEBOARD_REASON_NOT_ELIGIBLE == static_cast<int>(RejectionReason::not_eligible));
static_assert(FUSEBOARD_CIRCUIT_OPEN == static_cast<int>(CircuitState::open));
static_assert(FUSEBOARD_CIRCUIT_HALF_OPEN == static_cast<int>(CircuitState::half_open));
static_assert(FUSEBOARD_EVIDENCE_COUNTS == static_cast<int>(Evidence::counts));
static_assert(FUSEBOARD_EVIDENCE_DOES_NOT_COUNT == static_cast<int>(Evidence::does_not_count));

std::int64_t ms(Duration duration) noexcept { return ceil_milliseconds(duration); }

// Where 0 means that there is none.
std::optional<double> rate(double given) noexcept { return given == 0.0 ? std::nullopt : std::optional(given); }
std::optional<Duration> unless_zero(std::int64_t count_ms) noexcept {
  return count_ms == 0 ? std::nullopt : std::optional(milliseconds(count_ms));
}

FailureScope to_scope(fuseboard_failure_scope given) {
  constexpr auto kLast = static_cast<fuseboard_failure_scope>(FailureScope::request);
  if (given < 0 || given > kLast)
    throw_invalid("scope: " + std::to_string(given) + " is not allowed; allowed: 0 to " + std::to_string(kLast));
  return static_cast<FailureScope>(given);
}

}  // namespace

Duration milliseconds(std::int64_t count) noexcept {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 1'000'000;
  return std::chrono::milliseconds(std::clamp(count, -kMax, kMax));
}

std::optional<Duration> optional_milliseconds(std::int64_t count, const char* name) {
  if (count == FUSEBOARD_NONE_MS) return std::nullopt;
  if (count < 0)
    throw_invalid(std::string(name) + ": " + std::to_string(count) + " is not allowed; allowed: -1 or more");
  return milliseconds(count);
}

Duration latency(std::int64_t count_ns) noexcept { return Duration(std::max<std::int64_t>(count_ns, 0)); }

Failure to_failure(const fuseboard_failure& given) {
  fuseboard_failure defaults{};
  defaults.category = FUSEBOARD_CATEGORY_EXECUTION_ERROR;
  defaults.retry_after_ms = FUSEBOARD_NONE_MS;
  const fuseboard_failure failure = read(given, defaults);
  return {.category = enumerator(failure.category, Category::execution_error, "category"),
          .retryable = failure.retryable,
          .fallback = failure.fallback,
          .evidence = enumerator(failure.evidence, Evidence::does_not_count, "evidence"),
          .retry_after = optional_milliseconds(failure.retry_after_ms, "retry_after_ms"),
          .scope = to_scope(failure.scope)};
}

fuseboard_category from_category(const std::optional<Category>& category) noexcept {
  return category ? static_cast<fuseboard_category>(*category) : FUSEBOARD_CATEGORY_NONE;
}

std::int64_t optional_ms(const std::optional<Duration>& duration) noexcept {
  return duration ? ms(*duration) : FUSEBOARD_NONE_MS;
}

fuseboard_failure from_failure(const Failure& failure) noexcept {
  return {.struct_size = sizeof(fuseboard_failure),
          .category = static_cast<fuseboard_category>(failure.category),
          .evidence = static_cast<fuseboard_evidence>(failure.evidence),
          .retry_after_ms = optional_ms(failure.retry_after),
          .retryable = failure.retryable,
          .fallback = failure.fallback,
          .scope = static_cast<fuseboard_failure_scope>(failure.scope)};
}

BreakerOptions to_breaker_options(const fuseboard_breaker_options& given) {
  const fuseboard_breaker_options options = read(given, from_breaker_options(provider_preset()));
  if ((options.trips_on & ~CategorySet::all().bits()) != 0) throw_invalid("trips_on: has bits of no category");
  return {.failure_threshold = options.failure_threshold,
          .failure_run_expires_after = unless_zero(options.failure_run_expires_ms),
          .failures_within = options.failures_within == 0
                                 ? std::nullopt
                                 : std::optional(FailuresWithin{.failures = options.failures_within,
                                                                .time = milliseconds(options.failures_within_ms)}),
          .silence_threshold = options.silence_threshold < 0
                                   ? std::nullopt
                                   : std::optional(static_cast<std::uint32_t>(options.silence_threshold)),
          .failure_rate = rate(options.failure_rate),
          .slow_call_rate = rate(options.slow_call_rate),
          .slow_call_duration = milliseconds(options.slow_call_ms),
          .minimum_calls = options.minimum_calls,
          .window = {.calls = options.window_calls, .time = milliseconds(options.window_ms)},
          .stuck_call_age = unless_zero(options.stuck_call_ms),
          .half_open_max_probes = options.half_open_max_probes,
          .half_open_successes = options.half_open_successes,
          .half_open_failure_rate = rate(options.half_open_failure_rate),
          .open_time = {.initial = milliseconds(options.open_initial_ms),
                        .factor = options.open_factor,
                        .max = milliseconds(options.open_max_ms),
                        .jitter = options.open_jitter},
          .retry_after_max = milliseconds(options.retry_after_max_ms),
          .probe_lease = milliseconds(options.probe_lease_ms),
          .trips_on = CategorySet::from_bits(options.trips_on),
          .abandoned_is_failure = options.abandoned_is_failure};
}

fuseboard_breaker_options from_breaker_options(const BreakerOptions& options) noexcept {
  return {.struct_size = sizeof(fuseboard_breaker_options),
          .failure_threshold = options.failure_threshold,
          .half_open_max_probes = options.half_open_max_probes,
          .half_open_successes = options.half_open_successes,
          .minimum_calls = options.minimum_calls,
          .window_calls = options.window.calls,
          .trips_on = options.trips_on.bits(),
          .failure_rate = options.failure_rate.value_or(0.0),
          .slow_call_rate = options.slow_call_rate.value_or(0.0),
          .slow_call_ms = ms(options.slow_call_duration),
          .window_ms = ms(options.window.time),
          .stuck_call_ms = options.stuck_call_age ? ms(*options.stuck_call_age) : 0,
          .open_initial_ms = ms(options.open_time.initial),
          .open_max_ms = ms(options.open_time.max),
          .open_factor = options.open_time.factor,
          .open_jitter = options.open_time.jitter,
          .probe_lease_ms = ms(options.probe_lease),
          .retry_after_max_ms = ms(options.retry_after_max),
          .abandoned_is_failure = options.abandoned_is_failure,
          .silence_threshold = options.silence_threshold ? static_cast<std::int32_t>(*options.silence_threshold) : -1,
          .half_open_failure_rate = options.half_open_failure_rate.value_or(0.0),
          .failures_within = options.failures_within ? options.failures_within->failures : 0,
          .failures_within_ms = ms(options.failures_within.value_or(FailuresWithin{}).time),
          .failure_run_expires_ms = options.failure_run_expires_after ? ms(*options.failure_run_expires_after) : 0};
}

fuseboard_rejection from_rejection(const Rejection& rejection) noexcept {
  return {.struct_size = sizeof(fuseboard_rejection),
          .reason = static_cast<fuseboard_reason>(rejection.reason),
          .consecutive_failures = rejection.consecutive_failures,
          .last_failure = from_category(rejection.last_failure),
          .retry_after_ms = optional_ms(rejection.retry_after)};
}

fuseboard_circuit from_circuit(const BreakerSnapshot& snapshot) noexcept {
  return {.struct_size = sizeof(fuseboard_circuit),
          .state = static_cast<fuseboard_circuit_state>(snapshot.state),
          .consecutive_failures = snapshot.consecutive_failures,
          .last_failure = from_category(snapshot.last_failure),
          .probes_in_flight = snapshot.probes_in_flight,
          .remaining_ms = ms(snapshot.remaining),
          .open_time_ms = ms(snapshot.open_time),
          .generation = snapshot.generation,
          .times_opened = snapshot.times_opened,
          .denials = snapshot.denials,
          .in_flight = snapshot.in_flight,
          .admitted = snapshot.totals.admitted,
          .succeeded = snapshot.totals.succeeded,
          .failed = snapshot.totals.failed,
          .throttled = snapshot.totals.throttled,
          .neutral = snapshot.totals.neutral,
          .abandoned = snapshot.totals.abandoned};
}

}  // namespace fuseboard::c_api
