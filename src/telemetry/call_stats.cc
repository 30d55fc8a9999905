// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/call_stats.h"

namespace fuseboard::telemetry {
namespace {

bool is_timeout(const CallRecord& record) noexcept {
  if (record.ending == Ending::deadline_exceeded) return true;
  const AttemptRecord* const primary = record.primary();
  return primary != nullptr && primary->failure->category == Category::timeout;
}

ExecutionResult result_of(const CallRecord& record) noexcept {
  if (record.ending == Ending::success) return ExecutionResult::success;
  if (record.ending == Ending::cancelled) return ExecutionResult::cancelled;
  return is_timeout(record) ? ExecutionResult::timeout : ExecutionResult::failure;
}

void count_attempts(const CallRecord& record, EventCounts& events) noexcept {
  events.add(Event::limiter_admitted, record.attempts_sent);
  events.add(Event::retry_attempted, retries_of(record));
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.charged) {
      events.add(Event::budget_reserved);
      events.add(Event::budget_settled);
      if (attempt.charged->overrun) events.add(Event::budget_overrun);
    }
  }
  events.add(Event::limiter_throttled, record.throttled);
  if (events[Event::retry_attempted] > 0 && record.ending == Ending::success) events.add(Event::retry_recovered);
  if (record.ending == Ending::retries_exhausted) events.add(Event::retry_exhausted);
}

void count_rejection(RejectionReason reason, EventCounts& events) noexcept {
  switch (reason) {
    case RejectionReason::circuit_open:
    case RejectionReason::half_open_busy:
      return events.add(Event::breaker_denied);
    case RejectionReason::rate_limited:
    case RejectionReason::concurrency_limited:
    case RejectionReason::queue_full:
      return events.add(Event::limiter_denied);
    case RejectionReason::budget_exceeded:
    case RejectionReason::price_missing:
      return events.add(Event::budget_refused);
    case RejectionReason::deadline_exceeded:
    case RejectionReason::credential_parked:
    case RejectionReason::not_eligible:
      return;
  }
}

void count_cache(CacheUse use, EventCounts& events) noexcept {
  switch (use) {
    case CacheUse::bypass:
      return;
    case CacheUse::miss:
      return events.add(Event::cache_miss);
    case CacheUse::hit:
      return events.add(Event::cache_hit);
    case CacheUse::shared:
      return events.add(Event::cache_shared);
  }
}

}  // namespace

ExecutionSummary summary_of(const CallRecord& record) noexcept {
  ExecutionSummary summary{.result = result_of(record),
                           .ended = record.ended,
                           .duration = record.duration(),
                           .attempts = record.attempts_sent};
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.first_content && !attempt.recovery) summary.first_content = attempt.first_content;
  }
  count_attempts(record, summary.events);
  for (const RejectionRecord& rejection : record.rejections) count_rejection(rejection.reason, summary.events);
  count_cache(record.cache, summary.events);
  for (const FallbackRecord& fallback : fallbacks_of(record)) {
    summary.events.add(Event::fallback_taken);
    if (fallback.success) summary.events.add(Event::fallback_succeeded);
  }
  return summary;
}

void CallStats::watch(BreakerRegistry& breakers) {
  watching_ = breakers.subscribe([this](const BreakerEvent& event) {
    if (event.kind != BreakerEventKind::transition) return;
    switch (event.to) {
      case CircuitState::open:
        return stats_.count(Event::breaker_opened);
      case CircuitState::half_open:
        return stats_.count(Event::breaker_half_opened);
      case CircuitState::closed:
        return stats_.count(Event::breaker_closed);
    }
  });
}

void CallStats::call_ended(const CallId&, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept {
  stats_.record(summary_of(record));
}

}  // namespace fuseboard::telemetry
