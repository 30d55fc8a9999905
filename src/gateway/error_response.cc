// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/error_response.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fuseboard/budget/options.h"
#include "fuseboard/core/validation.h"
#include "gateway/cause.h"
#include "json/scan.h"

namespace fuseboard::gateway {
namespace {

// SDKs retry by themselves; a wait above this is not one they should sit out.
constexpr Duration kLongestWorthwhileWait = std::chrono::seconds(60);

const AttemptRecord* find_attempt(const CallRecord& record, std::optional<std::uint32_t> number) {
  for (const AttemptRecord& attempt : record.attempts) {
    if (number == attempt.number) return &attempt;
  }
  return nullptr;
}

// Both forms: seconds for everybody, milliseconds for clients that know them.
void add_retry_after(net::Headers& headers, Duration wait) {
  const std::int64_t milliseconds = ceil_milliseconds(wait);
  headers.set("retry-after", std::to_string((milliseconds + 999) / 1000));
  headers.set("retry-after-ms", std::to_string(milliseconds));
  if (wait > kLongestWorthwhileWait) headers.set("x-should-retry", "false");
}

Answer with_retry_after(Answer answer, const CallRecord& record) {
  if (record.retry_after) add_retry_after(answer.head.headers, *record.retry_after);
  return answer;
}

// Nothing was sent: says which target refused for what.
Answer rejected_response(llm::GatewayError error, std::string_view why, const CallRecord& record, const Plan& plan,
                         std::string_view note, const ServedBy& served_by) {
  std::string message = fmt::format("'{}': {}:", plan.name(), why);
  std::string_view separator = " ";
  for (const RejectionRecord& refusal : record.rejections) {
    message += fmt::format("{}{} ({}", separator, plan.targets()[refusal.target].name, name(refusal.reason));
    const bool of_credential = refusal.reason == RejectionReason::credential_parked;
    if (of_credential && refusal.last_failure) message += fmt::format(": {}", name(*refusal.last_failure));
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

// Which cap refused, by what numbers, and what can be done about it.
std::string budget_words(const RejectionRecord& refusal) {
  const BudgetKind kind = *refusal.kind;
  if (kind == BudgetKind::sessions) {
    return fmt::format(
        "{} sessions are held, which is as many as may be, and this one is new: go on in one of those, or wait until "
        "one has not been used for {}",
        refusal.limit, fuseboard::to_text(Duration(BudgetOptions::kSessionRetention)));
  }
  const auto [whose, configured] = words_of(refusal.level);
  const std::string unit = kind == BudgetKind::usd ? "" : " " + std::string(name(kind));
  std::string words = fmt::format("{} budget of {}{} does not allow this call: {} spent", whose,
                                  amount(kind, refusal.limit), unit, amount(kind, refusal.consumed));
  if (refusal.reserved > 0) words += fmt::format(", {} held by calls in flight", amount(kind, refusal.reserved));
  words += fmt::format(", and it may need {}; ", amount(kind, refusal.requested));
  if (refusal.level == BudgetLevel::session) words += "begin a new session, or ";
  return words + fmt::format("raise {}{}", configured, name(kind));
}

std::string budget_words(const CallRecord& record) {
  for (const RejectionRecord& refusal : record.rejections) {
    if (refusal.kind) return budget_words(refusal);
    if (refusal.reason == RejectionReason::price_missing) {
      return "a model without a price is not asked (on_missing_price: reject); add it to prices";
    }
  }
  return "the budget is spent";
}

// Our own retries are spent: a client that retries on top would only multiply them.
Answer without_retry(Answer answer) {
  answer.head.headers.set("x-should-retry", "false");
  return answer;
}

// In words, after what is said otherwise; empty where every target could be asked.
std::string note_of(std::span<const Inability> unable, const Plan& plan) {
  return unable.empty() ? std::string() : "; not asked: " + to_text(unable, plan);
}

// The same within the message of an upstream's error; nullopt where it has none in the place where clients look.
std::optional<std::string> with_note(const std::string& body, std::string_view note) {
  using Json = nlohmann::ordered_json;
  Json json = Json::parse(body, nullptr, false);
  const auto message = Json::json_pointer("/error/message");
  if (!json.is_object() || !json.contains(message) || !json[message].is_string()) return std::nullopt;
  json[message] = json[message].get<std::string>() + std::string(note);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// An upstream's error in words of ours around what it says.
std::string translated_error(const UpstreamError& upstream, std::optional<Category> judged, const ServedBy& served_by) {
  return llm::translate_error(served_by.dialect, upstream.head.status, upstream.body, served_by.request_id, judged);
}

// What an upstream answered, and was judged to mean, in the caller's dialect.
Answer upstream_error_response(const UpstreamError& upstream, std::optional<Category> judged,
                               const ServedBy& served_by) {
  if (upstream.ready) return {.head = upstream.head, .body = upstream.body};
  Answer answer{.head = caller_response(upstream.head, served_by, upstream.dialect), .body = upstream.body};
  // A proxy's page, or nothing at all, is no answer that a client of either dialect could read.
  const bool readable = upstream.dialect == served_by.dialect && !json::validate(upstream.body);
  if (readable) return answer;
  answer.body = translated_error(upstream, judged, served_by);
  describe_own_body(answer.head.headers, false);
  return answer;
}

}  // namespace

Answer gateway_error_response(llm::GatewayError error, std::string_view message, const ServedBy& served_by,
                              std::optional<std::string_view> param) {
  Answer answer{.head = {.status = llm::info(error).status, .headers = {}},
                .body = llm::error_body(served_by.dialect, error, message, param.value_or(""), served_by.request_id)};
  answer.head.headers.add("content-type", "application/json");
  add_served_by(answer.head.headers, served_by);
  return answer;
}

Answer request_error_response(const llm::RequestError& error, const ServedBy& served_by) {
  Answer answer{.head = {.status = llm::info(llm::GatewayError::invalid_request).status, .headers = {}},
                .body = llm::error_body(served_by.dialect, error, served_by.request_id)};
  answer.head.headers.add("content-type", "application/json");
  add_served_by(answer.head.headers, served_by);
  return answer;
}

namespace {

// Nothing could be sent: every target that might have been asked lacks words for the request.
Answer inexpressible_response(std::span<const Inability> unable, const Plan& plan, const ServedBy& served_by) {
  llm::RequestError error = unable.front().error;
  error.message = fmt::format("no target of '{}' can take this request: {}", plan.name(), to_text(unable, plan));
  return request_error_response(error, served_by);
}

// Nothing was sent, or time ran out; nullopt: an attempt decided.
std::optional<Answer> without_attempt(const CallRecord& record, const Plan& plan, std::span<const Inability> unable,
                                      const ServedBy& served_by) {
  using llm::GatewayError;
  const std::string note = note_of(unable, plan);
  const auto refuse = [&](GatewayError error, std::string_view why) {
    return rejected_response(error, why, record, plan, note, served_by);
  };
  switch (record.ending) {
    case Ending::circuit_open:
      return refuse(GatewayError::circuit_open, "all targets have open circuits");
    case Ending::rate_limited:
      return refuse(GatewayError::rate_limited, "every target is at its limit");
    case Ending::queue_full:
      return refuse(GatewayError::queue_full, "too many calls are waiting");
    case Ending::budget_exceeded:
      return without_retry(refuse(GatewayError::budget_exceeded, budget_words(record)));
    case Ending::credential_parked:
      return refuse(GatewayError::upstream_authentication,
                    "the providers recently refused what they were sent as a credential, or wanted one, and rest now");
    case Ending::no_target:
      if (!unable.empty()) return inexpressible_response(unable, plan, served_by);
      return refuse(GatewayError::no_target, "no target can take this call");
    case Ending::deadline_exceeded:
      return without_retry(with_retry_after(
          gateway_error_response(GatewayError::deadline_exceeded, summary(record, plan) + note, served_by), record));
    default:
      return std::nullopt;
  }
}

Answer refused_credential_response(const AttemptRecord& attempt, const CallRecord& record, const Plan& plan,
                                   bool keyless, std::string_view note, const ServedBy& served_by) {
  std::string_view what = "the credential it is configured with";
  if (keyless) what = "a request without an api_key; none is configured for it";
  if (attempt.failure->scope == FailureScope::caller) what = "the organization or project that the request names";
  std::string message = fmt::format("{} refused {}", plan.targets()[attempt.target].name, what);
  if (const AttemptNote* const known = record.note_of(attempt.number); known != nullptr && !known->cause.empty()) {
    message += fmt::format(" ({})", known->cause.view());
  }
  message += note;
  return without_retry(gateway_error_response(llm::GatewayError::upstream_authentication, message, served_by));
}

}  // namespace

Answer failure_response(const CallRecord& record, const Plan& plan, const FailureCircumstances& circumstances,
                        const ServedBy& served_by) {
  if (auto answer = without_attempt(record, plan, circumstances.unable, served_by)) return *std::move(answer);
  const UpstreamError* const upstream = circumstances.upstream;
  const std::string note = note_of(circumstances.unable, plan);
  const AttemptRecord* telling = find_attempt(record, record.primary_attempt);
  const bool refused_ours = telling != nullptr && telling->failure->category == Category::authentication;
  if (refused_ours && !circumstances.passthrough)
    return refused_credential_response(*telling, record, plan, circumstances.keyless, note, served_by);
  // A filtered answer is a 200 that says so itself.
  const bool filtered = telling != nullptr && telling->failure->category == Category::content_policy;
  if (upstream != nullptr && (upstream->head.status >= 400 || filtered)) {
    const auto judged = telling != nullptr ? std::optional(telling->failure->category) : std::nullopt;
    const auto hint = telling != nullptr ? telling->failure->retry_after : std::nullopt;
    Answer answer = upstream_error_response(*upstream, judged, served_by);
    // One that was filtered passes as it came.
    if (!note.empty() && upstream->head.status >= 400) {
      std::optional<std::string> noted = with_note(answer.body, note);
      if (!noted) noted = with_note(translated_error(*upstream, judged, served_by), note);
      if (noted) answer.body = *std::move(noted);
      describe_own_body(answer.head.headers, false);
    }
    // Where one request is larger than what may be sent at once, the wait that comes with it is for smaller ones.
    const bool too_large = telling != nullptr && telling->failure->scope == FailureScope::request;
    const bool in_vain =
        record.ending == Ending::retries_exhausted || (hint && *hint > kLongestWorthwhileWait) || too_large;
    return in_vain ? without_retry(std::move(answer)) : answer;
  }
  return without_retry(
      gateway_error_response(llm::GatewayError::retries_exhausted, summary(record, plan) + note, served_by));
}

std::string summary(const CallRecord& record, const Plan& plan) {
  const std::int64_t milliseconds = ceil_milliseconds(record.duration());
  if (record.attempts.empty()) return fmt::format("no attempt was sent in {} ms", milliseconds);
  const AttemptRecord& last = record.attempts.back();
  const std::string_view how = last.failure ? name(last.failure->category) : std::string_view("success");
  const std::string numbers =
      fmt::format("{} attempt{} in {} ms; the last, on {}, ended with {}", record.attempts_sent,
                  record.attempts_sent == 1 ? "" : "s", milliseconds, plan.targets()[last.target].name, how);
  const std::string told = causes(record, plan);
  return told.empty() ? numbers : fmt::format("{} ({})", told, numbers);
}

}  // namespace fuseboard::gateway
