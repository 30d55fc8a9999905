// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_attempt.h"

#include <algorithm>
#include <utility>

#include "gateway/outgoing_request.h"
#include "gateway/plain_answer.h"
#include "gateway/streamed_answer.h"
#include "gateway/upstream_error.h"
#include "gateway/usage_question.h"
#include "llm/begun_answer.h"

namespace fuseboard::gateway {

ModelAttempt::ModelAttempt(RelayedCall& its_call, const Attempt& attempt)
    : InFlightAttempt(
          its_call.exchange, attempt,
          {.origin = its_call.provider(attempt.target).origin, .secrets = its_call.provider(attempt.target).secrets}),
      relayed(its_call),
      memory(its_call.loop_context.body_memory) {}

// What was seen of the answer, or what the provider has said so far, where that is more.
std::optional<TokenUsage> ModelAttempt::used() const {
  const llm::AnswerSoFar said =
      stream != nullptr ? llm::AnswerSoFar{.usage = stream->usage(), .seen = stream->seen()}
                        : llm::read_begun_answer(endpoint(), std::string_view(body).substr(0, kMaxReadOnLoop));
  const std::uint64_t seen = said.seen.tokens();
  if (seen == 0) return std::nullopt;
  const TokenUsage told = usage_of(said.usage).value_or(TokenUsage{});
  return TokenUsage{.input = told.input, .cached_input = told.cached_input, .output = std::max(told.output, seen)};
}

void ModelAttempt::read_head(const net::ResponseHead& head) {
  head_came = relayed.now();
  // Many say nothing of their limits.
  if (tells_rates(head.headers)) {
    upstream_limits = read_rate_headers(relayed.loop_context.wall.now(), dialect(), head.headers);
  }
  note_head(head, server_window(upstream_limits));
}

std::optional<TokenUsage> usage_of(const llm::Usage& usage) {
  if (!usage.known) return std::nullopt;
  const std::uint64_t output = usage.total > usage.prompt ? usage.total - usage.prompt : 0;
  return TokenUsage{.input = usage.prompt, .cached_input = usage.cached, .output = std::max(usage.completion, output)};
}

net::Task<void> run_model_attempt(RelayedCall& relayed, const Attempt& its_attempt) {
  ModelAttempt attempt(relayed, its_attempt);
  auto made = co_await OutgoingRequest::make(attempt);
  if (!attempt.in_flight()) co_return;
  if (!made) {
    end_untranslatable(attempt, made.error());
    co_return;
  }
  OutgoingRequest& request = *made;
  std::expected<net::ResponseHead, net::TransportError> head = co_await request.send(attempt, its_attempt.connect_by);
  if (!attempt.in_flight()) co_return;
  std::optional<std::string> refusal;  // where it has been read already
  if (head && request.asks_usage) {
    if (is_success(head->status)) {
      note_taken(attempt);
    } else {
      refusal = co_await withdraw_question(attempt, request, head);
      if (!attempt.in_flight()) co_return;
    }
  }
  request.body = {};  // the answer may stream for minutes
  request.memory.clear();
  if (!head) {
    attempt.end_broken(head.error());
    co_return;
  }
  attempt.read_head(*head);
  if (!is_success(head->status)) {
    if (!refusal) refusal = co_await read_error(attempt, *head);
    if (attempt.in_flight()) end_by_error(attempt, *head, *std::move(refusal), request.prefilled());
  } else if (relayed.exchange.driver().accepted(attempt.number()); relayed.call.facts.stream) {
    co_await read_streamed(attempt, *head, request);
  } else {
    co_await read_plain(attempt, *head);
  }
}

}  // namespace fuseboard::gateway
