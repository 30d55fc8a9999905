// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One attempt at a model's answer, from the request in its target's words to its end.
#pragma once

#include <optional>
#include <string>

#include "gateway/answer_stream.h"
#include "gateway/in_flight_attempt.h"
#include "gateway/rate_headers.h"
#include "gateway/relayed_call.h"
#include "llm/answer.h"

namespace fuseboard::gateway {

struct ModelAttempt final : InFlightAttempt {
  ModelAttempt(RelayedCall& its_call, const Attempt& attempt);

  const Provider& provider() const { return relayed.provider(target()); }
  const Redactor& secrets() const { return provider().secrets; }
  llm::Dialect dialect() const { return relayed.requests.dialect(target()); }
  llm::Endpoint endpoint() const { return relayed.requests.endpoint(target()); }

  // What the head of its answer says beside the status.
  void read_head(const net::ResponseHead& head);

  RelayedCall& relayed;
  TimePoint head_came{};
  LimitView upstream_limits{};           // as they stood then
  const AnswerStream* stream = nullptr;  // while it is being relayed
  std::string body;                      // of a plain answer, as far as it has come
  net::BodyMemory::Share memory;         // of that

 private:
  net::HttpClient& client() override { return relayed.loop_context.clients.of(provider()); }
  std::optional<TokenUsage> used() const override;
};

// All of the attempt: sends its request, judges what comes of that and tells its end, unless nobody needs it any more.
net::Task<void> run_model_attempt(RelayedCall& relayed, const Attempt& attempt);

// As it is charged. Some providers leave thoughts out of the completion, and have them in the total.
std::optional<TokenUsage> usage_of(const llm::Usage& usage);

}  // namespace fuseboard::gateway
