// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {

// A whole completion differs from a stream's event in nothing that its reader minds.
std::expected<std::vector<Delta>, std::string> completion_deltas(std::string_view body) {
  const auto reader = make_chat_reader({.deltas = true});
  const StreamPiece piece = reader->read({}, body);
  if (piece == StreamPiece::malformed) return std::unexpected("the answer is not a JSON object of bounded size");
  if (piece == StreamPiece::error || !(reader->content_seen() || piece == StreamPiece::finish)) {
    return std::unexpected("the answer is not a chat completion");
  }
  return std::vector<Delta>(reader->deltas().begin(), reader->deltas().end());
}

}  // namespace fuseboard::llm
