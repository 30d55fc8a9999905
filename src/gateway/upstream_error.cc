// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/upstream_error.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/user_rules.h"
#include "gateway/answer_coding.h"
#include "gateway/cause_of_answer.h"
#include "gateway/model_attempt.h"
#include "llm/errors.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;

int status_of(Category category) {
  switch (category) {
    case Category::invalid_request:
    case Category::context_length_exceeded:
    case Category::content_policy:
    case Category::policy_violation:
      return 400;
    case Category::permission_denied:
      return 403;
    case Category::tool_not_found:
    case Category::resource_not_found:
    case Category::model_not_found:
      return 404;
    case Category::rate_limit:
    case Category::quota_exhausted:
      return 429;
    case Category::service_unavailable:
    case Category::overloaded:
      return 503;
    case Category::timeout:
      return 504;
    default:
      return 502;
  }
}

// What a refusal says of itself. Of one that speaks of our credential no more than its code: its words may show a part
// of it.
llm::ErrorDetails words_of(const ModelAttempt& attempt, const net::ResponseHead& head, std::string_view body,
                           const Failure& failure) {
  llm::ErrorDetails words =
      llm::judge_answer(attempt.endpoint(), head.status, head.headers.get("content-type"), body, {}).error;
  if (failure.category == Category::authentication) words.message.clear();
  return words;
}

}  // namespace

UpstreamError told_under_success(std::uint32_t attempt, llm::Dialect dialect, const Failure& failure,
                                 const llm::ErrorDetails& error) {
  const int status = status_of(failure.category);
  const std::string_view type = status < 500 ? "invalid_request_error" : "server_error";
  const auto code = error.code.empty() ? std::nullopt : std::optional<std::string_view>(error.code);
  std::string body = llm::openai_error_body(error.message, error.type.empty() ? type : error.type, std::nullopt, code);
  return {.attempt = attempt,
          .dialect = dialect,
          .head = {.status = status, .headers = {{"content-type", "application/json"}}},
          .body = llm::retold_openai_error(dialect, status, std::move(body))};
}

std::optional<Failure> judge(const RelayedCall& relayed, const net::ResponseHead& head, std::string_view body) {
  std::vector<HeaderField> headers;
  for (const net::Header field : head.headers) headers.push_back({field.name, field.value});
  const CallEvidence evidence{
      .status = head.status, .headers = headers, .body = body, .now = relayed.loop_context.wall.now()};
  return classify(evidence, relayed.call.routing->classify_rules()).failure;
}

net::Task<std::string> read_error(ModelAttempt& attempt, net::ResponseHead& head) {
  std::string text;
  auto body = co_await attempt.upstream().read_all(kMaxErrorBody,
                                                   std::min(attempt.attempt().headers_by, attempt.attempt().total_by));
  if (body && attempt.in_flight()) {
    auto plain = co_await plain_body(attempt.relayed.loop_context.loop, head, *std::move(body), kMaxErrorBody);
    if (plain) text = *std::move(plain);
  }
  attempt.secrets().redact(text);
  if (text.empty()) head.headers.erase("content-encoding");
  co_return text;
}

void end_by_error(ModelAttempt& attempt, net::ResponseHead& head, std::string text, bool prefilled) {
  RelayedCall& relayed = attempt.relayed;
  const Failure failure = judge(relayed, head, text).value_or(Failure::of(Category::execution_error));
  const std::string cause = cause_of_answer(head, words_of(attempt, head, text, failure));
  AttemptReport report = AttemptReport::failed(failure, true);
  // Whoever is sent elsewhere for ever is sent there the next time too: it is the base URL that is wrong.
  if (head.status >= 300 && head.status <= 399) report.outcome.failure->retryable = false;
  if (prefilled && failure.category == Category::invalid_request) {
    // The request was good before the prefill was added: the same target may start again.
    relayed.begun.refused_prefill |= std::uint64_t{1} << attempt.target();
    report.outcome.failure->retryable = true;
    report.outcome.failure->fallback = true;
    report.outcome.failure->evidence = Evidence::does_not_count;
  }
  relayed.errors.keep(
      {.attempt = attempt.number(), .dialect = attempt.dialect(), .head = std::move(head), .body = std::move(text)},
      attempt.secrets());
  attempt.end(report, cause);
}

}  // namespace fuseboard::gateway
