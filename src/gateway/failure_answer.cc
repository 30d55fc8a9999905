// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_answer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/cause.h"
#include "gateway/rate_headers.h"
#include "gateway/rejection_response.h"
#include "gateway/relayed_call.h"
#include "json/scan.h"

namespace fuseboard::gateway {
namespace {

// Of whom the answer tells: the primary attempt, else the last; nullptr: nothing was sent.
const AttemptRecord* attempt_told(const CallRecord& record) {
  if (const AttemptRecord* const primary = record.primary()) return primary;
  return record.attempts.empty() ? nullptr : &record.attempts.back();
}

// Our own retries are spent: a client that retries on top would only multiply them.
Answer spent_response(llm::GatewayError error, std::string_view message, const ServedBy& served_by) {
  Answer answer = gateway_error_response(error, message, served_by);
  forbid_retry(answer.head.headers);
  return answer;
}

// A note added to the message of an upstream's error; nullopt where it has none in the place where clients look.
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

// The same with its head; as it came where the caller can read that.
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
  return spent_response(llm::GatewayError::upstream_authentication, message, served_by);
}

// Of a call that our own limits rejected.
void tell_own_limits(const RelayedCall& relayed, net::Headers& headers) {
  const CallRecord& record = relayed.exchange.execution().record();
  if (record.ending != Ending::rate_limited) return;
  const llm::Dialect dialect = relayed.call.dialect;
  for (const RejectionRecord& rejection : record.rejections) {
    if (rejection.reason != RejectionReason::rate_limited) continue;
    const LimitView own = rejected_view(limit_view(relayed.now(), relayed.state(rejection.target)),
                                        {.reason = rejection.reason, .retry_after = rejection.retry_after});
    set_rate_headers(relayed.loop_context.wall.now(), headers, dialect, {.dialect = dialect, .own = own});
    return;
  }
}

}  // namespace

Answer failure_response(const CallRecord& record, const Plan& plan, const FailureCircumstances& circumstances,
                        const ServedBy& served_by) {
  if (auto answer = rejection_response(record, plan, circumstances.untranslatable, served_by)) {
    return *std::move(answer);
  }
  const UpstreamError* const upstream = circumstances.upstream;
  const std::string note = note_of(circumstances.untranslatable, plan);
  const AttemptRecord* const primary = record.primary();
  const bool refused_ours = primary != nullptr && primary->failure->category == Category::authentication;
  if (refused_ours && !circumstances.passthrough)
    return refused_credential_response(*primary, record, plan, circumstances.keyless, note, served_by);
  // A filtered answer is a 200 that says so itself.
  const bool filtered = primary != nullptr && primary->failure->category == Category::content_policy;
  if (upstream != nullptr && (upstream->head.status >= 400 || filtered)) {
    const auto judged = primary != nullptr ? std::optional(primary->failure->category) : std::nullopt;
    const auto hint = primary != nullptr ? primary->failure->retry_after : std::nullopt;
    Answer answer = upstream_error_response(*upstream, judged, served_by);
    // One that was filtered passes as it came.
    if (!note.empty() && upstream->head.status >= 400) {
      std::optional<std::string> noted = with_note(answer.body, note);
      if (!noted) noted = with_note(translated_error(*upstream, judged, served_by), note);
      if (noted) answer.body = *std::move(noted);
      describe_own_body(answer.head.headers, false);
    }
    // Where one request is larger than what may be sent at once, the wait that comes with it is for smaller ones.
    const bool too_large = primary != nullptr && primary->failure->scope == FailureScope::request;
    const bool in_vain =
        record.ending == Ending::retries_exhausted || (hint && *hint > kLongestWorthwhileWait) || too_large;
    if (in_vain) forbid_retry(answer.head.headers);
    return answer;
  }
  return spent_response(llm::GatewayError::retries_exhausted, summary(record, plan) + note, served_by);
}

Answer failure_answer(const RelayedCall& relayed) {
  const Execution& execution = relayed.exchange.execution();
  const CallRecord& record = execution.record();
  const AttemptRecord* const told = attempt_told(record);
  const auto target = told != nullptr ? std::optional(told->target) : std::nullopt;
  const AttemptNote* const note = told != nullptr ? record.note_of(told->number) : nullptr;
  const UpstreamError* const upstream = relayed.errors.of(record);
  const auto sends = [&](config::Auth auth) { return target && relayed.provider(*target).auth == auth; };
  Answer answer = failure_response(record, execution.plan(),
                                   {.upstream = upstream,
                                    .untranslatable = relayed.requests.untranslatable(),
                                    .passthrough = sends(config::Auth::passthrough),
                                    .keyless = sends(config::Auth::none)},
                                   relayed.served_by(target, note != nullptr ? note->upstream_request_id.view() : ""));
  const llm::Dialect dialect = relayed.call.dialect;
  if (upstream != nullptr && upstream->dialect != dialect && !upstream->ready) {
    const WallTime wall = relayed.loop_context.wall.now();
    set_rate_headers(wall, answer.head.headers, dialect,
                     {.dialect = upstream->dialect,
                      .upstream = read_rate_headers(wall, upstream->dialect, upstream->head.headers),
                      .own = {}});
  }
  tell_own_limits(relayed, answer.head.headers);
  return answer;
}

}  // namespace fuseboard::gateway
