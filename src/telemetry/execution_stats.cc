// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/execution_stats.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace fuseboard::telemetry {
namespace {

constexpr std::array<std::string_view, kExecutionResults> kResultNames = {"success", "failure", "timeout", "cancelled"};

// In the order of the enumerators.
constexpr std::array<EventName, kEvents> kEventNames = {
    {{"retry", "attempted"},     {"retry", "recovered"},   {"retry", "exhausted"}, {"breaker", "opened"},
     {"breaker", "half_opened"}, {"breaker", "closed"},    {"breaker", "denied"},  {"limiter", "admitted"},
     {"limiter", "denied"},      {"limiter", "throttled"}, {"budget", "reserved"}, {"budget", "settled"},
     {"budget", "overrun"},      {"budget", "refused"},    {"cache", "hit"},       {"cache", "miss"},
     {"cache", "shared"},        {"cache", "stored"},      {"fallback", "taken"},  {"fallback", "succeeded"}}};

std::string_view help_of(std::string_view group) noexcept {
  if (group == "retry") return "Attempts on the target that had just failed, and what became of their calls.";
  if (group == "breaker") return "Moves of circuits, and attempts that they rejected.";
  if (group == "limiter") return "Attempts that limits admitted or rejected, ours or the server's.";
  if (group == "budget") return "Reservations of budgets.";
  if (group == "cache") return "Calls that were looked up in the cache.";
  return "Moves to another target.";
}

double share(std::uint64_t part, std::uint64_t whole) noexcept {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The latest first; calls that ended at one time stay as they were.
void sort_by_end(std::vector<RecentExecution>& executions) {
  std::vector<std::pair<std::size_t, RecentExecution>> numbered;
  numbered.reserve(executions.size());
  for (const RecentExecution& execution : executions) numbered.emplace_back(numbered.size(), execution);
  std::sort(numbered.begin(), numbered.end(), [](const auto& a, const auto& b) {
    return a.second.ended != b.second.ended ? a.second.ended > b.second.ended : a.first < b.first;
  });
  for (std::size_t i = 0; i < numbered.size(); ++i) executions[i] = numbered[i].second;
}

void write_results(Exposition& out, const ExecutionTotals& totals, std::vector<Label> labels) {
  out.family("fuseboard_executions_total", Exposition::Type::counter,
             "All calls by result: a call that was refused is a failure, one that ran out of time a timeout.");
  labels.push_back({"result", ""});
  for (std::size_t i = 0; i < kExecutionResults; ++i) {
    labels.back().value = kResultNames[i];
    out.sample("fuseboard_executions_total", labels, totals.results[i]);
  }
}

void write_events(Exposition& out, const EventCounts& events, std::vector<Label> labels) {
  labels.push_back({"event", ""});
  std::string_view group;
  std::string family;
  for (std::size_t i = 0; i < kEvents; ++i) {
    if (kEventNames[i].group != group) {
      group = kEventNames[i].group;
      family = "fuseboard_" + std::string(group) + "_events_total";
      out.family(family, Exposition::Type::counter, help_of(group));
    }
    labels.back().value = kEventNames[i].name;
    out.sample(family, labels, events[static_cast<Event>(i)]);
  }
}

}  // namespace

std::string_view name(ExecutionResult result) noexcept { return kResultNames[static_cast<std::size_t>(result)]; }
EventName name(Event event) noexcept { return kEventNames[static_cast<std::size_t>(event)]; }

void ExecutionTotals::add(const ExecutionSummary& summary) noexcept {
  ++results[static_cast<std::size_t>(summary.result)];
  events.merge(summary.events);
  attempts += summary.attempts;
  duration.observe(summary.duration);
  if (summary.first_content) first_content.observe(*summary.first_content);
}

void ExecutionTotals::merge(const ExecutionTotals& other) noexcept {
  for (std::size_t i = 0; i < kExecutionResults; ++i) results[i] += other.results[i];
  events.merge(other.events);
  attempts += other.attempts;
  duration.merge(other.duration);
  first_content.merge(other.first_content);
}

std::uint64_t ExecutionTotals::total() const noexcept {
  return std::accumulate(results.begin(), results.end(), std::uint64_t{0});
}

double ExecutionTotals::success_rate() const noexcept {
  return share(of(ExecutionResult::success), total() - of(ExecutionResult::cancelled));
}

double ExecutionTotals::average_attempts() const noexcept { return share(attempts, total()); }

double ExecutionTotals::recovery_rate() const noexcept {
  const std::uint64_t recovered = events[Event::retry_recovered];
  return share(recovered, recovered + events[Event::retry_exhausted]);
}

double ExecutionTotals::cache_hit_rate() const noexcept {
  const std::uint64_t spared = events[Event::cache_hit] + events[Event::cache_shared];
  return share(spared, spared + events[Event::cache_miss]);
}

void ExecutionStats::record(const ExecutionSummary& summary) noexcept {
  Cell& cell = cells_.mine();
  const MutexLock lock(cell.mutex);
  cell.totals.add(summary);
  cell.recent[cell.recorded % kRecentExecutions] = {
      .result = summary.result, .ended = summary.ended, .duration = summary.duration, .attempts = summary.attempts};
  ++cell.recorded;
}

void ExecutionStats::count(Event event, std::uint64_t times) noexcept {
  Cell& cell = cells_.mine();
  const MutexLock lock(cell.mutex);
  cell.totals.events.add(event, times);
}

ExecutionSnapshot ExecutionStats::snapshot() const {
  ExecutionSnapshot snapshot;
  snapshot.recent.reserve(ThreadSlot::count() * kRecentExecutions);  // nothing allocates under a mutex
  cells_.for_each([&](const Cell& cell) {
    const MutexLock lock(cell.mutex);
    snapshot.totals.merge(cell.totals);
    const std::uint64_t kept = std::min<std::uint64_t>(cell.recorded, kRecentExecutions);
    for (std::uint64_t i = 1; i <= kept; ++i)
      snapshot.recent.push_back(cell.recent[(cell.recorded - i) % kRecentExecutions]);
  });
  sort_by_end(snapshot.recent);
  if (snapshot.recent.size() > kRecentExecutions) snapshot.recent.resize(kRecentExecutions);
  return snapshot;
}

void write(Exposition& out, const ExecutionTotals& totals, std::span<const Label> labels) {
  const std::vector<Label> given(labels.begin(), labels.end());
  write_results(out, totals, given);
  write_events(out, totals.events, given);
  out.family("fuseboard_execution_duration_seconds", Exposition::Type::histogram, "From a call's start to its end.");
  totals.duration.write(out, "fuseboard_execution_duration_seconds", labels);
  out.family("fuseboard_execution_first_content_seconds", Exposition::Type::histogram,
             "Of streams: from the start of the attempt to its first content.");
  totals.first_content.write(out, "fuseboard_execution_first_content_seconds", labels);
}

}  // namespace fuseboard::telemetry
