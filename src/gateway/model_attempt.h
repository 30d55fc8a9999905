// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One attempt at a model's answer, from the request in its target's words to its end.
#pragma once

#include <optional>
#include <string>

#include "gateway/answer_stream.h"
#include "gateway/in_flight_attempt.h"
#include "gateway/relayed_call.h"
#include "llm/answer.h"

namespace fuseboard::gateway {

struct ModelAttempt final : InFlightAttempt {
  ModelAttempt(RelayedCall& its_call, const Attempt& attempt);

  const Provider& provider() const { return relayed.provider(target()); }
  const Redactor& secrets() const { return provider().secrets; }
  llm::Dialect dialect() const { return relayed.requests.dialect(target()); }
  llm::Endpoint endpoint() const { return relayed.requests.endpoint(target()); }

  RelayedCall& relayed;
  const AnswerStream* stream = nullptr;  // while it is being relayed
  std::string body;                      // of a plain answer, as far as it has come
  net::BodyMemory::Share memory;         // of that

 private:
  net::HttpClient& client() override { return relayed.loop_context.clients.of(provider()); }
  std::optional<TokenUsage> used() const override;
};

// As it is charged. Some providers leave thoughts out of the completion, and have them in the total.
std::optional<TokenUsage> usage_of(const llm::Usage& usage);

}  // namespace fuseboard::gateway
