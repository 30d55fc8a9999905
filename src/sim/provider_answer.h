// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers to chat completions, responses, messages and embeddings, as the two providers word them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/chat_request.h"
#include "sim/composition.h"
#include "sim/planned_fault.h"
#include "sim/reply.h"

namespace fuseboard::sim {

// What an answer depends on besides the request and its planned fault.
struct AnswerContext {
  std::uint64_t seed = 0;
  std::uint64_t ordinal = 0;
  std::int64_t created = 0;  // seconds since 1970
  Duration token_gap{};
  std::size_t max_tokens = 4096;
  std::string_view inspected;  // the request as it came
  UsageForm usage = UsageForm::kTrue;

  // Unique in a run and the same in every run: letters and digits out of the seed and the ordinal.
  std::string id() const;
  std::string request_id() const { return "req_" + id(); }
};

// What an answer of /v1/responses is known by.
std::string response_id(const AnswerContext& context);

// `POST /v1/chat/completions`, `/v1/responses` or `/v1/messages`, for a planned fault whose opening is kAnswer.
Reply chat_reply(Dialect dialect, const ChatRequest& request, const PlannedFault& planned,
                 const AnswerContext& context);

// `POST /v1/embeddings`, likewise: unit vectors that depend on the seed and the text.
Reply embeddings_reply(const EmbeddingsRequest& request, const PlannedFault& planned, const AnswerContext& context);

}  // namespace fuseboard::sim
