// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_attempt.h"

#include <algorithm>
#include <utility>

#include "gateway/outgoing_request.h"
#include "gateway/plain_answer.h"
#include "gateway/rate_headers.h"
#include "gateway/streamed_answer.h"
#include "gateway/upstream_error.h"
#include "gateway/usage_question.h"
#include "llm/begun_answer.h"

namespace fuseboard::gateway {
namespace {

// What the upstream says of its own limits. Many say nothing.
std::optional<ServerWindow> window_of(const ModelAttempt& attempt, const net::Headers& headers) {
  if (!tells_rates(headers)) return std::nullopt;
  return server_window(read_rate_headers(attempt.relayed.loop_context.wall.now(), attempt.dialect(), headers));
}

}  // namespace

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

std::optional<TokenUsage> usage_of(const llm::Usage& usage) {
  if (!usage.known) return std::nullopt;
  const std::uint64_t output = usage.total > usage.prompt ? usage.total - usage.prompt : 0;
  return TokenUsage{.input = usage.prompt, .cached_input = usage.cached, .output = std::max(usage.completion, output)};
}

net::Task<void> RelayedCall::attempt(const Attempt& its_attempt) {
  ModelAttempt attempt(*this, its_attempt);
  auto made = co_await make_request(attempt);
  if (!attempt.in_flight()) co_return;
  if (!made) {
    end_unsayable(attempt, made.error());
    co_return;
  }
  OutgoingRequest& request = *made;
  std::expected<net::ResponseHead, net::TransportError> head = co_await send(attempt, request, its_attempt.connect_by);
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
  attempt.note_head(*head, window_of(attempt, head->headers));
  if (!is_success(head->status)) {
    if (!refusal) refusal = co_await read_error(attempt, *head);
    if (attempt.in_flight()) end_by_error(attempt, *head, *std::move(refusal), request.prefilled());
  } else if (exchange.driver().accepted(attempt.number()); call.facts.stream) {
    co_await read_streamed(attempt, *head, request);
  } else {
    co_await read_plain(attempt, *head);
  }
}

}  // namespace fuseboard::gateway
