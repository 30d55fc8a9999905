// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/codec.h"

#include <utility>

#include "llm/anthropic/messages.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {

const Codec& codec(Dialect dialect) noexcept {
  switch (dialect) {
    case Dialect::openai:
      return kChatCompletionsCodec;
    case Dialect::anthropic:
      return kMessagesCodec;
  }
  std::unreachable();
}

}  // namespace fuseboard::llm
