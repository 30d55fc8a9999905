// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/usage_question.h"

#include <utility>

#include "gateway/upstream_error.h"
#include "gateway/usage_asking.h"

namespace fuseboard::gateway {
namespace {

UsageAsking& asking_of(const ModelAttempt& attempt) { return *attempt.relayed.upstream(attempt.target()).usage_asking; }

bool says_little(int status) { return status == 400 || status == 422; }

}  // namespace

void note_taken(const ModelAttempt& attempt) { asking_of(attempt).note(UsageAsking::Known::taken); }

// Where the refusal does not say what it is about, and nothing is known of the target, the second answer tells, once.
// What a refusal says that stands.
net::Task<std::optional<std::string>> withdraw_question(ModelAttempt& attempt, OutgoingRequest& request,
                                                        std::expected<net::ResponseHead, net::TransportError>& head) {
  UsageAsking& asking = asking_of(attempt);
  std::string text = co_await read_error(attempt, *head);
  const bool named = text.contains("stream_options") || text.contains("include_usage");
  // What is too long, or filtered, is not refused for a question.
  const bool unclear = says_little(head->status) && asking.known() == UsageAsking::Known::nothing &&
                       judge(attempt.relayed, *head, text).value_or(Failure{}).category == Category::invalid_request;
  if (!attempt.in_flight() || !(named || unclear)) co_return text;
  attempt.relayed.requests.stop_asking(attempt.target());
  auto again = co_await OutgoingRequest::make(attempt);
  if (!attempt.in_flight() || !again) co_return text;
  request.body = std::move(again->body);
  request.memory = std::move(again->memory);
  request.asks_usage = false;
  const TimePoint connect_by =
      saturating_add(attempt.relayed.now(), elapsed(attempt.started(), attempt.attempt().connect_by));
  head = co_await request.send(attempt, connect_by);
  if (head && is_success(head->status)) asking.note(UsageAsking::Known::refused);
  if (head && unclear && says_little(head->status)) asking.note(UsageAsking::Known::taken);
  co_return std::nullopt;
}

}  // namespace fuseboard::gateway
