// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/dialect.h"

namespace fuseboard::llm {

std::string_view name(Endpoint endpoint) noexcept {
  switch (endpoint) {
    case Endpoint::chat_completions:
      return "chat_completions";
    case Endpoint::responses:
      return "responses";
    case Endpoint::embeddings:
      return "embeddings";
    case Endpoint::messages:
      return "messages";
    case Endpoint::count_tokens:
      return "count_tokens";
    case Endpoint::other:
      return "other";
  }
  return "";
}

}  // namespace fuseboard::llm
