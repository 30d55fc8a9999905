// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What happened in a call.
#include <algorithm>
#include <string>

#include "c/boundary.h"
#include "c/call.h"
#include "c/convert.h"
#include "fuseboard/core/utf8.h"
#include "fuseboard/pipeline/explanation.h"
#include "fuseboard/pipeline/record.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

// The numbers of the C API are those of the enumerators, for ever.
static_assert(FUSEBOARD_ENDING_SUCCESS == static_cast<int>(Ending::success));
static_assert(FUSEBOARD_ENDING_CANCELLED == static_cast<int>(Ending::cancelled));
static_assert(FUSEBOARD_ENDING_BUDGET_EXCEEDED == static_cast<int>(Ending::budget_exceeded));
static_assert(FUSEBOARD_ENDING_NO_TARGET == static_cast<int>(Ending::no_target));
static_assert(FUSEBOARD_ENDING_NO_TARGET + 1 == kEndingCount);
static_assert(FUSEBOARD_VERDICT_FAILURE == static_cast<int>(Verdict::failure));
static_assert(FUSEBOARD_VERDICT_NEUTRAL == static_cast<int>(Verdict::neutral));
static_assert(FUSEBOARD_BUDGET_USD == static_cast<int>(BudgetKind::usd));
static_assert(FUSEBOARD_BUDGET_SESSIONS == static_cast<int>(BudgetKind::sessions));
static_assert(FUSEBOARD_BUDGET_SESSION == static_cast<int>(BudgetLevel::session));
static_assert(FUSEBOARD_WAIT_RECOVERY == static_cast<int>(WaitReason::recovery));
static_assert(FUSEBOARD_WAIT_ADMISSION == static_cast<int>(WaitReason::admission));

std::int64_t ns(TimePoint time) noexcept { return time.time_since_epoch().count(); }

fuseboard_call_summary from_summary(const CallRecord& record) noexcept {
  return {.struct_size = 0,
          .ending = static_cast<fuseboard_ending>(record.ending),
          .hedged = record.hedged,
          .attempts_sent = record.attempts_sent,
          .throttled = record.throttled,
          .served_by = record.served_by ? static_cast<std::int32_t>(*record.served_by) : -1,
          .primary_attempt = record.primary_attempt.value_or(0),
          .started_ns = ns(record.started),
          .ended_ns = ns(record.ended),
          .retry_after_ms = optional_ms(record.retry_after),
          .attempt_count = record.attempts.size(),
          .rejection_count = record.rejections.size(),
          .wait_count = record.waits.size()};
}

fuseboard_attempt_record from_record(const AttemptRecord& attempt) noexcept {
  const BudgetSettlement settlement = attempt.charged.value_or(BudgetSettlement{});
  const BudgetSpend& charged = settlement.charged;
  return {.struct_size = 0,
          .number = attempt.number,
          .target = attempt.target,
          .probe = attempt.probe,
          .hedge = attempt.hedge,
          .answered = attempt.answered,
          .recovery = attempt.recovery,
          .category = from_category(attempt.failure ? std::optional(attempt.failure->category) : std::nullopt),
          .verdict = static_cast<fuseboard_verdict>(attempt.verdict),
          .retry_after_ms = optional_ms(attempt.failure ? attempt.failure->retry_after : std::nullopt),
          .waited_ns = attempt.waited.count(),
          .started_ns = ns(attempt.started),
          .duration_ns = attempt.duration.count(),
          .first_content_ns = attempt.first_content ? attempt.first_content->count() : FUSEBOARD_NONE_NS,
          .charged_tokens = charged.tokens,
          .charged_rounds = charged.rounds,
          .charged_usd_nanos = static_cast<std::int64_t>(charged.cost.nanos()),
          .usage_understated = settlement.understated,
          .first_sign_ns = attempt.first_sign ? attempt.first_sign->count() : FUSEBOARD_NONE_NS,
          .company = attempt.company,
          .overtaken = attempt.overtaken,
          .cut = attempt.cut};
}

fuseboard_rejection_record from_record(const RejectionRecord& rejection) noexcept {
  return {.struct_size = 0,
          .target = rejection.target,
          .reason = static_cast<fuseboard_reason>(rejection.reason),
          .consecutive_failures = rejection.consecutive_failures,
          .last_failure = from_category(rejection.last_failure),
          .retry_after_ms = optional_ms(rejection.retry_after),
          .kind = rejection.kind ? static_cast<fuseboard_budget_kind>(*rejection.kind) : FUSEBOARD_BUDGET_NONE,
          .scope = static_cast<fuseboard_budget_scope>(rejection.level),
          .consumed = rejection.consumed,
          .reserved = rejection.reserved,
          .requested = rejection.requested,
          .limit = rejection.limit};
}

fuseboard_wait_record from_record(const WaitRecord& wait) noexcept {
  return {.struct_size = 0,
          .target = wait.target,
          .reason = static_cast<fuseboard_wait_reason>(wait.reason),
          .began_ns = ns(wait.began),
          .duration_ns = wait.duration.count()};
}

// Writes one entry of a list of the call's record.
template <typename List, typename Out>
fuseboard_status get_entry(const fuseboard_call* call, List CallRecord::* list, std::size_t index, Out* out) noexcept {
  return guarded([&]() -> fuseboard_status {
    const List& entries = required(call, "call").execution().record().*list;
    check_out(&required(out, "record"));
    if (index >= entries.size()) return fail(FUSEBOARD_NOT_FOUND, "no such entry");
    write(out, from_record(entries[index]));
    return FUSEBOARD_OK;
  });
}

// As much of the text as fits, not cut within a character, and a zero byte.
void copy_text(std::string_view text, char* buffer, std::size_t size) noexcept {
  if (size == 0) return;
  const std::string_view fits = cut_to_characters(text, size - 1);
  *std::copy(fits.begin(), fits.end(), buffer) = 0;
}

}  // namespace

const char* fuseboard_ending_name(fuseboard_ending ending) noexcept {
  if (ending < 0 || ending > FUSEBOARD_ENDING_NO_TARGET) return nullptr;
  // Names are literals, so they end in a zero byte.
  return name(static_cast<Ending>(ending)).data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
}

fuseboard_status fuseboard_call_get_summary(const fuseboard_call* call, fuseboard_call_summary* summary) noexcept {
  return guarded([&] {
    const CallRecord& record = required(call, "call").execution().record();
    write(&required(summary, "summary"), from_summary(record));
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_call_get_attempt(const fuseboard_call* call, size_t index,
                                            fuseboard_attempt_record* attempt) noexcept {
  return get_entry(call, &CallRecord::attempts, index, attempt);
}

fuseboard_status fuseboard_call_get_rejection(const fuseboard_call* call, size_t index,
                                              fuseboard_rejection_record* rejection) noexcept {
  return get_entry(call, &CallRecord::rejections, index, rejection);
}

fuseboard_status fuseboard_call_get_wait(const fuseboard_call* call, size_t index,
                                         fuseboard_wait_record* wait) noexcept {
  return get_entry(call, &CallRecord::waits, index, wait);
}

fuseboard_status fuseboard_call_explain(const fuseboard_call* call, char* buffer, size_t size,
                                        size_t* length) noexcept {
  return guarded([&] {
    const Execution& execution = required(call, "call").execution();
    if (size > 0) required(buffer, "buffer");
    const std::string text = explain(execution.record(), execution.plan());
    copy_text(text, buffer, size);
    if (length != nullptr) *length = text.size();
    return FUSEBOARD_OK;
  });
}
