// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/rejection_response.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "fuseboard/budget/options.h"
#include "fuseboard/core/validation.h"
#include "gateway/cause.h"

namespace fuseboard::gateway {
namespace {

Answer with_retry_after(Answer answer, const CallRecord& record) {
  if (record.retry_after) add_retry_after(answer.head.headers, *record.retry_after);
  return answer;
}

Answer without_retry(Answer answer) {
  forbid_retry(answer.head.headers);
  return answer;
}

// Says which target rejected for what.
Answer rejected_response(llm::GatewayError error, std::string_view why, const CallRecord& record, const Plan& plan,
                         std::string_view note, const ServedBy& served_by) {
  std::string message = fmt::format("'{}': {}:", plan.name(), why);
  std::string_view separator = " ";
  for (const RejectionRecord& rejection : record.rejections) {
    message += fmt::format("{}{} ({}", separator, plan.targets()[rejection.target].name, name(rejection.reason));
    const bool of_credential = rejection.reason == RejectionReason::credential_parked;
    if (of_credential && rejection.last_failure) message += fmt::format(": {}", name(*rejection.last_failure));
    message += ')';
    separator = ", ";
  }
  message += note;
  return with_retry_after(gateway_error_response(error, message, served_by), record);
}

// "the session's", and the key that sets its caps. Those of callers' keys are each set with its key.
struct BudgetWords {
  std::string_view whose;
  std::string_view configured;
};

BudgetWords words_of(BudgetLevel level) {
  switch (level) {
    case BudgetLevel::global:
      return {.whose = "the global", .configured = "budgets.global."};
    case BudgetLevel::key:
      return {.whose = "the key's", .configured = "the key's budget."};
    case BudgetLevel::session:
      return {.whose = "the session's", .configured = "budgets.session."};
  }
  return {};
}

std::string amount(BudgetKind kind, std::uint64_t value) {
  return kind == BudgetKind::usd ? "$" + to_text(Money::from_nanos(value)) : std::to_string(value);
}

// Which cap rejected, by what numbers, and what can be done about it.
std::string budget_words(const RejectionRecord& rejection) {
  const BudgetKind kind = *rejection.kind;
  if (kind == BudgetKind::sessions) {
    return fmt::format("session limit ({}) reached; reuse a session or wait until one is idle for {}", rejection.limit,
                       fuseboard::to_text(Duration(BudgetOptions::kSessionRetention)));
  }
  const auto [whose, configured] = words_of(rejection.level);
  const std::string unit = kind == BudgetKind::usd ? "" : " " + std::string(name(kind));
  std::string words = fmt::format("{} budget of {}{} does not allow this call: {} spent", whose,
                                  amount(kind, rejection.limit), unit, amount(kind, rejection.consumed));
  if (rejection.reserved > 0) words += fmt::format(", {} held by calls in flight", amount(kind, rejection.reserved));
  words += fmt::format(", and it may need {}; ", amount(kind, rejection.requested));
  if (rejection.level == BudgetLevel::session) words += "begin a new session, or ";
  return words + fmt::format("raise {}{}", configured, name(kind));
}

std::string budget_words(const CallRecord& record) {
  for (const RejectionRecord& rejection : record.rejections) {
    if (rejection.kind) return budget_words(rejection);
    if (rejection.reason == RejectionReason::price_missing) {
      return "a model without a price is not asked (on_missing_price: reject); add it to prices";
    }
  }
  return "the budget is spent";
}

// Nothing could be sent: the request cannot be translated to any target that might have been asked.
Answer untranslatable_response(std::span<const Untranslatable> untranslatable, const Plan& plan,
                               const ServedBy& served_by) {
  llm::RequestError error = untranslatable.front().error;
  error.message =
      fmt::format("no target of '{}' can take this request: {}", plan.name(), to_text(untranslatable, plan));
  return request_error_response(error, served_by);
}

}  // namespace

std::optional<Answer> rejection_response(const CallRecord& record, const Plan& plan,
                                         std::span<const Untranslatable> untranslatable, const ServedBy& served_by) {
  using llm::GatewayError;
  const std::string note = note_of(untranslatable, plan);
  const auto reject = [&](GatewayError error, std::string_view why) {
    return rejected_response(error, why, record, plan, note, served_by);
  };
  switch (record.ending) {
    case Ending::circuit_open:
      return reject(GatewayError::circuit_open, "all targets have open circuits");
    case Ending::rate_limited:
      return reject(GatewayError::rate_limited, "every target is at its limit");
    case Ending::queue_full:
      return reject(GatewayError::queue_full, "too many calls are waiting");
    case Ending::budget_exceeded:
      return without_retry(reject(GatewayError::budget_exceeded, budget_words(record)));
    case Ending::credential_parked:
      return reject(GatewayError::upstream_authentication,
                    "every provider rejected or requires a credential; they are parked");
    case Ending::no_target:
      if (!untranslatable.empty()) return untranslatable_response(untranslatable, plan, served_by);
      return reject(GatewayError::no_target, "no target can take this call");
    case Ending::deadline_exceeded:
      return without_retry(with_retry_after(
          gateway_error_response(GatewayError::deadline_exceeded, summary(record, plan) + note, served_by), record));
    default:
      return std::nullopt;
  }
}

}  // namespace fuseboard::gateway
