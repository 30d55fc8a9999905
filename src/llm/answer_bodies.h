// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The bodies of whole answers. Included by sources of this module alone.
#pragma once

#include <span>
#include <string>

#include "llm/answer_blocks.h"
#include "llm/delta.h"
#include "llm/stream_origin.h"

namespace fuseboard::llm {

// All that the deltas of an answer say.
struct WholeAnswer {
  WholeAnswer(std::span<const Delta> deltas, StreamOrigin stands_in);

  StreamOrigin origin;
  AnswerBlocks blocks{};
  FinishReason reason = FinishReason::stop;
  std::string stop_sequence{};
  Usage usage{};
  bool refused = false;
};

std::string completion_body(const WholeAnswer& answer);  // OpenAI
std::string message_body(const WholeAnswer& answer);     // Anthropic

}  // namespace fuseboard::llm
