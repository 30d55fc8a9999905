// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/record.h"

#include <type_traits>

namespace fuseboard {

static_assert(std::is_trivially_copyable_v<CallRecord>);

std::string_view name(Ending ending) noexcept {
  switch (ending) {
    case Ending::success:
      return "success";
    case Ending::failed:
      return "failed";
    case Ending::retries_exhausted:
      return "retries_exhausted";
    case Ending::deadline_exceeded:
      return "deadline_exceeded";
    case Ending::interrupted:
      return "interrupted";
    case Ending::cancelled:
      return "cancelled";
    case Ending::circuit_open:
      return "circuit_open";
    case Ending::rate_limited:
      return "rate_limited";
    case Ending::queue_full:
      return "queue_full";
    case Ending::budget_exceeded:
      return "budget_exceeded";
    case Ending::credential_parked:
      return "credential_parked";
    case Ending::no_target:
      return "no_target";
  }
  return "unknown";
}

std::string_view name(WaitReason reason) noexcept {
  switch (reason) {
    case WaitReason::backoff:
      return "backoff";
    case WaitReason::recovery:
      return "recovery";
    case WaitReason::admission:
      return "admission";
  }
  return "unknown";
}

std::string_view name(CacheUse use) noexcept {
  switch (use) {
    case CacheUse::bypass:
      return "bypass";
    case CacheUse::miss:
      return "miss";
    case CacheUse::hit:
      return "hit";
    case CacheUse::shared:
      return "shared";
  }
  return "unknown";
}

std::optional<TokenUsage> CallRecord::usage() const noexcept {
  std::optional<TokenUsage> sum;
  for (const AttemptRecord& attempt : attempts) {
    if (!attempt.usage) continue;
    if (!sum) sum.emplace();
    sum->input = saturating_sum(sum->input, attempt.usage->input);
    sum->cached_input = saturating_sum(sum->cached_input, attempt.usage->cached_input);
    sum->output = saturating_sum(sum->output, attempt.usage->output);
  }
  return sum;
}

namespace {

// Calls `use(before, attempt)` with each attempt that follows another, and with the first, whose `before` is nullptr.
template <typename Use>
void with_each_successor(const CallRecord& record, Use use) noexcept {
  const AttemptRecord* before = nullptr;
  for (const AttemptRecord& attempt : record.attempts) {
    // A hedge or company started beside another, not after it. One that has won is what a recovery comes after.
    const bool beside = attempt.hedge || attempt.company;
    if (!beside) use(before, attempt);
    if (!beside || attempt.first_content) before = &attempt;
  }
}

}  // namespace

BoundedList<FallbackRecord, 16> fallbacks_of(const CallRecord& record) noexcept {
  BoundedList<FallbackRecord, 16> fallbacks;
  with_each_successor(record, [&](const AttemptRecord* before, const AttemptRecord& attempt) {
    const bool won = !attempt.failure && record.ending == Ending::success;
    if (before != nullptr && before->target != attempt.target && before->failure) {
      fallbacks.push_back(
          {.from = before->target, .to = attempt.target, .category = before->failure->category, .success = won});
    } else if (before == nullptr) {
      // The first target asked may have been passed by on account of refusals.
      const std::uint32_t first = record.candidates.empty() ? attempt.target : record.candidates[0];
      if (first != attempt.target) fallbacks.push_back({.from = first, .to = attempt.target, .success = won});
    }
  });
  return fallbacks;
}

std::uint32_t retries_of(const CallRecord& record) noexcept {
  std::uint32_t retries = 0;
  with_each_successor(record, [&](const AttemptRecord* before, const AttemptRecord& attempt) {
    if (before != nullptr && before->target == attempt.target) ++retries;
  });
  return retries;
}

}  // namespace fuseboard
