// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A whole answer, put together. Included by sources of this module alone.
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

}  // namespace fuseboard::llm
