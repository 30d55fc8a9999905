// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a program's calls came to [TEL-1]: counters, latencies and the last hundred calls one by one.
//
//   ExecutionStats stats;
//   stats.record({.result = ExecutionResult::success, .ended = now, .duration = 120ms, .attempts = 1});
//   stats.snapshot().success_rate();
//
// It takes plain values and knows no policy: whoever drives calls says what happened.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fuseboard/core/mutex.h"
#include "fuseboard/core/thread_slot.h"
#include "fuseboard/core/time.h"
#include "fuseboard/telemetry/histogram.h"

namespace fuseboard::telemetry {

// How a call ended. A refusal without any attempt is a failure.
enum class ExecutionResult : std::uint8_t { success, failure, timeout, cancelled };
inline constexpr std::size_t kExecutionResults = 4;
std::string_view name(ExecutionResult result) noexcept;

// What is counted beside the results. Each belongs to a group, in the order of the groups.
enum class Event : std::uint8_t {
  retry_attempted,      // one more attempt on the target that had just failed
  retry_recovered,      // a call that succeeded after a retry
  retry_exhausted,      // a call that ended because no attempt was left
  breaker_opened,       // transitions of circuits
  breaker_half_opened,  //
  breaker_closed,       //
  breaker_denied,       // attempts refused by a circuit
  limiter_admitted,     // attempts
  limiter_denied,       // attempts refused by our own count
  limiter_throttled,    // attempts refused by the server's
  budget_reserved,      // reservations granted
  budget_settled,       // reservations settled with what was used
  budget_overrun,       // settled above what was reserved
  budget_refused,       // reservations refused
  cache_hit,            // calls answered from the cache
  cache_miss,           // calls that were looked up in vain
  cache_shared,         // calls that got the answer of another one in flight
  cache_stored,         // answers put into the cache
  fallback_taken,       // moves to another target, after a failed attempt or past a refusal
  fallback_succeeded,   // calls that another target than their first one answered
};
inline constexpr std::size_t kEvents = 20;

struct EventName {
  std::string_view group;  // "breaker"
  std::string_view name;   // "half_opened"
};
EventName name(Event event) noexcept;

class EventCounts {
 public:
  void add(Event event, std::uint64_t times = 1) noexcept { counts_[static_cast<std::size_t>(event)] += times; }
  void merge(const EventCounts& other) noexcept {
    for (std::size_t i = 0; i < kEvents; ++i) counts_[i] += other.counts_[i];
  }
  std::uint64_t operator[](Event event) const noexcept { return counts_[static_cast<std::size_t>(event)]; }
  friend bool operator==(const EventCounts&, const EventCounts&) noexcept = default;

 private:
  std::array<std::uint64_t, kEvents> counts_{};
};

// One call that has ended.
struct ExecutionSummary {
  ExecutionResult result = ExecutionResult::success;
  TimePoint ended{};
  Duration duration = Duration::zero();
  std::optional<Duration> first_content{};  // of a stream: from the start of its attempt
  std::uint32_t attempts = 0;               // sent
  EventCounts events{};
};

// Averages and rates of an empty set are 0.
struct ExecutionTotals {
  std::array<std::uint64_t, kExecutionResults> results{};
  EventCounts events{};
  std::uint64_t attempts = 0;
  LatencyCounts duration{};
  LatencyCounts first_content{};

  void add(const ExecutionSummary& summary) noexcept;
  void merge(const ExecutionTotals& other) noexcept;

  std::uint64_t total() const noexcept;
  std::uint64_t of(ExecutionResult result) const noexcept { return results[static_cast<std::size_t>(result)]; }
  // Successes of the calls that were not cancelled.
  double success_rate() const noexcept;
  double average_attempts() const noexcept;
  // Recovered of those that were retried to an end: recovered or exhausted.
  double recovery_rate() const noexcept;
  // Hits and shared answers of all that were looked up.
  double cache_hit_rate() const noexcept;
};

struct RecentExecution {
  ExecutionResult result = ExecutionResult::success;
  TimePoint ended{};
  Duration duration = Duration::zero();
  std::uint32_t attempts = 0;
  friend bool operator==(const RecentExecution&, const RecentExecution&) noexcept = default;
};
inline constexpr std::size_t kRecentExecutions = 100;

struct ExecutionSnapshot {
  ExecutionTotals totals;
  std::vector<RecentExecution> recent;  // at most kRecentExecutions, the latest first
};

// Thread-safe. Every thread writes a place of its own (see core/thread_slot.h), under a mutex that nobody else wants
// but a snapshot, so threads do not slow one another down: about 30 ns a call, no allocation. Memory: 4 KiB a slot.
class ExecutionStats {
 public:
  ExecutionStats() = default;

  void record(const ExecutionSummary& summary) noexcept;

  // What happens outside a call: a circuit's transitions, say.
  void count(Event event, std::uint64_t times = 1) noexcept;

  // A sum over the threads, each consistent in itself.
  ExecutionSnapshot snapshot() const;

 private:
  struct alignas(64) Cell {
    mutable Mutex mutex;
    ExecutionTotals totals FUSEBOARD_GUARDED_BY(mutex);
    // Every thread keeps as many as all together show, so that no busy thread pushes out what is shown.
    std::array<RecentExecution, kRecentExecutions> recent FUSEBOARD_GUARDED_BY(mutex){};
    std::uint64_t recorded FUSEBOARD_GUARDED_BY(mutex) = 0;
  };

  ThreadCells<Cell> cells_;
};

// fuseboard_executions_total{result}, fuseboard_<group>_events_total{event} and two histograms in seconds
// [TEL-3]. `labels` come before each series' own; keep them bounded.
void write(Exposition& out, const ExecutionTotals& totals, std::span<const Label> labels = {});

}  // namespace fuseboard::telemetry
