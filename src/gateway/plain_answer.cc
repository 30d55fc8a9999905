// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/plain_answer.h"

#include <algorithm>
#include <utility>

#include "gateway/answer_coding.h"
#include "gateway/answer_head.h"
#include "gateway/body_kind.h"
#include "gateway/cause.h"
#include "gateway/cause_of_answer.h"
#include "gateway/failed_report.h"
#include "gateway/filtered_answer.h"
#include "gateway/upstream_error.h"
#include "llm/answer.h"
#include "llm/openai_responses/response_events.h"
#include "llm/translate_answer.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMaxPlainAnswer = std::size_t{64} << 20;

llm::AnswerJudgement look_at(const ModelAttempt& attempt, const net::ResponseHead& head, std::string_view body) {
  return llm::judge_answer(attempt.endpoint(), head.status, head.headers.get("content-type"), body, {});
}

// It is billed nevertheless.
AttemptReport billed(AttemptReport report, const llm::AnswerJudgement& read) {
  report.usage = usage_of(read.usage);
  report.seen_output = read.seen.tokens();
  return report;
}

// A whole answer, from an upstream that does not stream, to a caller who asked for a stream.
std::expected<std::string, std::string> as_stream(llm::Dialect from, llm::Dialect to, std::string_view body,
                                                  const llm::StreamOrigin& origin) {
  const auto deltas = llm::answer_deltas(from, body);
  if (!deltas) return std::unexpected(deltas.error());
  return llm::answer_events(to, *deltas, origin);
}

// How the caller reads it.
struct AnswerForm {
  bool response = false;  // of the responses endpoint, as a stream
  bool streamed = false;
  bool rewritten = false;  // not as the upstream said it
};

AnswerForm form_for(const ModelAttempt& attempt, const llm::AnswerJudgement& read) {
  const ModelCall& call = attempt.relayed.call;
  if (!call.facts.stream) return {.rewritten = attempt.dialect() != call.dialect};
  // One that has not ended yet, as a background one, stays the object that it is.
  const bool response = call.endpoint == llm::Endpoint::responses && !read.finish_reason.empty();
  const bool streamed = response || (llm::translates(call.endpoint) && call.facts.choices == 1);
  return {.response = response, .streamed = streamed, .rewritten = streamed || attempt.dialect() != call.dialect};
}

// Beside the loop where it is long. An error: it cannot be translated to the caller's dialect.
net::Task<std::expected<std::string, std::string>> translate(const ModelAttempt& attempt, std::string_view body,
                                                             AnswerForm form) {
  LoopContext& context = attempt.relayed.loop_context;
  const ModelCall& call = attempt.relayed.call;
  const llm::StreamOrigin origin{.created = std::chrono::system_clock::to_time_t(context.wall.now()),
                                 .include_usage = call.facts.include_usage};
  const auto rewrite = [&] {
    if (form.response) return std::expected<std::string, std::string>(llm::response_events(body));
    return form.streamed ? as_stream(attempt.dialect(), call.dialect, body, origin)
                         : llm::translate_answer(attempt.dialect(), call.dialect, body, origin);
  };
  co_return body.size() > kMaxTranslatedOnLoop ? co_await net::run_aside(context.loop, context.aside, rewrite)
                                               : rewrite();
}

net::Task<void> take_plain(ModelAttempt& attempt, net::ResponseHead& head, std::string body) {
  RelayedCall& relayed = attempt.relayed;
  LoopContext& context = relayed.loop_context;
  const auto look = [&] { return look_at(attempt, head, body); };
  const llm::AnswerJudgement read =
      body.size() > kMaxReadOnLoop ? co_await net::run_aside(context.loop, context.aside, look) : look();
  if (!attempt.in_flight()) co_return;
  if (read.failure) {
    // The reader of answers sees that it is none; what that means is the classifier's word.
    const Failure failure = judge(relayed, head, body).value_or(*read.failure);
    if (!read.error.empty()) {
      relayed.errors.keep(told_under_success(attempt.number(), attempt.dialect(), failure, read.error),
                          attempt.secrets());
    }
    attempt.end(AttemptReport::failed(failure, true), cause_of_content(read.error));
    co_return;
  }
  if (is_event_stream(head.headers) && body_kind(body) == BodyKind::json) describe_own_body(head.headers, false);
  const AnswerForm form = form_for(attempt, read);
  if (form.rewritten) {
    auto translated = co_await translate(attempt, body, form);
    if (!attempt.in_flight()) co_return;
    if (!translated) {
      attempt.end(billed(failed_report(TransportFault::malformed), read),
                  "its answer cannot be translated to the caller's dialect: " + careful_words(translated.error()));
      co_return;
    }
    body = *std::move(translated);
  }
  attempt.secrets().redact_usual(body);
  net::ResponseHead ours = answer_head(attempt, std::move(head), form.streamed);
  if (read.filtered) {
    end_filtered(attempt, std::move(ours), std::move(body), read.usage, read.seen);
    co_return;
  }
  AttemptReport report = billed({.outcome = Outcome::success(), .answered = true}, read);
  if (relayed.call.endpoint == llm::Endpoint::count_tokens) report.usage = TokenUsage{};  // nobody bills it
  attempt.end(report);
  relayed.remember_state(attempt.target(), read.response_id);
  relayed.answer = Answer{.head = std::move(ours), .body = std::move(body)};
  relayed.answer_memory = std::move(attempt.memory);
}

}  // namespace

net::Task<void> read_plain(ModelAttempt& attempt, net::ResponseHead& head, std::string begun) {
  const Attempt& limits = attempt.attempt();
  net::Loop& loop = attempt.relayed.loop_context.loop;
  // All of it counts as first content: nothing has been handed on, also where a stream was asked for [RTY-3].
  attempt.body = std::move(begun);
  const auto read = co_await attempt.upstream().read_rest(
      attempt.body, kMaxPlainAnswer, std::min(limits.first_content_by, limits.total_by), &attempt.memory);
  if (!attempt.in_flight()) co_return;
  if (!read) {
    attempt.observe();
    attempt.end_broken(read.error());
    co_return;
  }
  std::string body = std::exchange(attempt.body, {});
  if (limits.recovery) {
    // What recovers a stream must be one.
    attempt.end(billed(failed_report(TransportFault::malformed), look_at(attempt, head, body)),
                "a stream was requested, but the response is not one");
    co_return;
  }
  const TimePoint by = saturating_add(loop.now(), net::ClientExchange::kMemoryWait);
  auto plain = co_await plain_body(loop, head, std::move(body), kMaxPlainAnswer, {.share = &attempt.memory, .by = by});
  if (!attempt.in_flight()) co_return;
  if (plain) {
    co_await take_plain(attempt, head, *std::move(plain));
  } else if (plain.error() == net::DecodeError::no_memory) {
    attempt.end_broken({.kind = net::TransportError::no_memory, .message = "there is no memory for the answer"});
  } else {
    attempt.end(failed_report(TransportFault::malformed), "its content-encoding cannot be read");
  }
}

}  // namespace fuseboard::gateway
