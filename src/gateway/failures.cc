// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failures.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "fuseboard/core/escape.h"
#include "gateway/cause.h"

namespace fuseboard::gateway {
namespace {

constexpr Duration kWindow = std::chrono::seconds(1);

std::string rejections(const CallRecord& record, const Plan& plan) {
  std::string text;
  for (const RejectionRecord& rejection : record.rejections) {
    text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", plan.targets()[rejection.target].name,
                        name(rejection.reason));
  }
  return text;
}

// Of what was sent; else of why nothing was.
std::string cause(const CallRecord& record, const Plan& plan) {
  // One whose caller left has no line.
  if (record.ending == Ending::cancelled) return "the gateway is shutting down";
  if (std::string told = causes(record, plan); !told.empty()) return told;
  if (record.attempts.empty()) return rejections(record, plan);
  const auto& failure = record.attempts.back().failure;
  return std::string(failure ? name(failure->category) : "none");
}

}  // namespace

Failures::Failures(const TargetNames& targets, const Clock& clock, LogSink log) : clock_(clock), log_(std::move(log)) {
  add(targets);
}

void Failures::attempt_failed(std::string_view target, Category category, std::string_view cause) noexcept {
  Entry* const entry = by_target_.find(target);
  if (entry == nullptr || category == Category::cancelled) return;
  const TimePoint now = clock_.now();
  const MutexLock lock(entry->mutex);
  entry->last = LastFailure{.category = category, .cause = cause, .at = now};
}

std::optional<LastFailure> Failures::last(std::string_view target) const {
  const Entry* const entry = by_target_.find(target);
  if (entry == nullptr) return std::nullopt;
  const MutexLock lock(entry->mutex);
  return entry->last;
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

void Failures::call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                          const CallRecord& record) noexcept {
  const bool caller_left = record.ending == Ending::cancelled && !record.shut_down;
  if (!log_ || record.ending == Ending::success || caller_left) return;
  const auto left_out = take_line();
  if (!left_out) return;
  try {
    if (*left_out > 0) log_(fmt::format("{} more calls failed and have no line of their own", *left_out));
    log_(failed_call_line(id.view(), record, *plan));
  } catch (const std::bad_alloc&) {
    return;  // without memory there is no line, but the call's answer
  }
}

std::string failed_call_line(std::string_view request_id, const CallRecord& record, const Plan& plan) {
  const std::string_view target =
      record.attempts.empty() ? std::string_view("-") : plan.targets()[record.attempts.back().target].name;
  std::string line =
      fmt::format("call failed request_id={} model={} target={} ending={} attempts={} duration_ms={} cause={}",
                  request_id, plan.name(), target, name(record.ending), record.attempts_sent,
                  ceil_milliseconds(record.duration()), cause(record, plan));
  std::string_view before = "; not asked: ";
  for (const auto& why : record.not_asked) {
    line += std::exchange(before, "; ");
    line += why.view();
  }
  return escape_unprintable(line);
}

}  // namespace fuseboard::gateway
