// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failures.h"

#include <fmt/format.h>

#include <utility>

#include "fuseboard/core/escape.h"
#include "gateway/cause.h"

namespace fuseboard::gateway {
namespace {

constexpr Duration kWindow = std::chrono::seconds(1);

std::string refusals(const CallRecord& record, const Plan& plan) {
  std::string text;
  for (const RejectionRecord& refusal : record.rejections) {
    text +=
        fmt::format("{}{} ({})", text.empty() ? "" : ", ", plan.targets()[refusal.target].name, name(refusal.reason));
  }
  return text;
}

// Of what was sent; else of why nothing was.
std::string cause(const CallRecord& record, const Plan& plan) {
  // One whose caller left has no line, see Relay::run().
  if (record.ending == Ending::cancelled) return "the gateway is shutting down";
  if (std::string told = causes(record, plan); !told.empty()) return told;
  if (record.attempts.empty()) return refusals(record, plan);
  const auto& failure = record.attempts.back().failure;
  return std::string(failure ? name(failure->category) : "none");
}

}  // namespace

Failures::Failures(const ModelTable& models, const Clock& clock, LogSink log) : clock_(clock), log_(std::move(log)) {
  for (const auto& route : models.routes()) {
    for (const Target& target : route->plan->targets()) by_target_.try_emplace(target.name, std::make_unique<Entry>());
  }
}

void Failures::attempt_failed(std::string_view target, Category category, std::string_view cause) noexcept {
  const auto found = by_target_.find(target);
  if (found == by_target_.end() || category == Category::cancelled) return;
  const TimePoint now = clock_.now();
  const MutexLock lock(found->second->mutex);
  found->second->last = LastFailure{.category = category, .cause = cause, .at = now};
}

std::optional<LastFailure> Failures::last(std::string_view target) const {
  const auto found = by_target_.find(target);
  if (found == by_target_.end()) return std::nullopt;
  const MutexLock lock(found->second->mutex);
  return found->second->last;
}

std::optional<std::uint64_t> Failures::take_line() {
  const TimePoint now = clock_.now();
  const MutexLock lock(mutex_);
  if (lines_ == 0 || elapsed(window_began_, now) >= kWindow) {
    window_began_ = now;
    lines_ = 0;
  }
  if (lines_ == kMaxLines) {
    ++left_out_;
    return std::nullopt;
  }
  ++lines_;
  return std::exchange(left_out_, 0);
}

void Failures::call_failed(std::string_view request_id, const CallRecord& record, const Plan& plan,
                           std::string_view ruled_out) {
  if (!log_) return;
  const auto left_out = take_line();
  if (!left_out) return;
  if (*left_out > 0) log_(fmt::format("{} more calls failed and have no line of their own", *left_out));
  log_(failed_call_line(request_id, record, plan, ruled_out));
}

std::string failed_call_line(std::string_view request_id, const CallRecord& record, const Plan& plan,
                             std::string_view ruled_out) {
  const std::string_view target =
      record.attempts.empty() ? std::string_view("-") : plan.targets()[record.attempts.back().target].name;
  std::string line =
      fmt::format("call failed request_id={} model={} target={} ending={} attempts={} duration_ms={} cause={}",
                  request_id, plan.name(), target, name(record.ending), record.attempts_sent,
                  ceil_milliseconds(record.duration()), cause(record, plan));
  if (!ruled_out.empty()) line += fmt::format("; not asked: {}", ruled_out);
  return escape_unprintable(line);
}

}  // namespace fuseboard::gateway
