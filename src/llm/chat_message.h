// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the `message` of a chat completion, and the `delta` of a streamed one, says. Included by sources of this module
// alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "llm/delta.h"
#include "llm/json_reader.h"
#include "llm/text_decoder.h"

namespace fuseboard::llm {

// The most calls of one answer that are told apart.
inline constexpr std::size_t kMaxToolCalls = 128;

struct MessageFacts {
  bool content = false;     // something in it is what commits an answer
  bool plain = true;        // nothing in it but a string of text
  bool too_many = false;    // more calls than kMaxToolCalls
  std::uint64_t bytes = 0;  // of what it says
};

// Without copying anything.
MessageFacts look_at_message(const JsonValue& message);

// A `message` has all of each call, a `delta` a piece of it.
enum class MessageForm : std::uint8_t { whole, piece };

// One object for the messages of one choice.
class ChatMessageReader {
 public:
  // Appends what `message` says to `deltas`, thoughts first, then text, refusal and calls.
  MessageFacts read(const JsonValue& message, MessageForm form, std::vector<Delta>& deltas);
  // No more comes: appends what still waits for the other half of a character.
  void finish(std::vector<Delta>& deltas);

 private:
  struct Call {
    std::uint64_t index = 0;
    std::string id{};
    TextDecoder arguments{};
  };
  struct Said;       // by one message
  struct CallPiece;  // an element of `tool_calls`

  void read_content(const JsonValue& content, Said& said);
  void read_content_part(const JsonValue& part, Said& said);
  void read_calls(const JsonValue& calls, MessageForm form, Said& said);
  void read_call(const CallPiece& piece, MessageForm form, Said& said);
  std::size_t find_call(const CallPiece& piece, MessageForm form) const noexcept;

  TextDecoder reasoning_{};
  TextDecoder text_{};
  TextDecoder refusal_{};
  std::vector<Call> calls_{};
};

}  // namespace fuseboard::llm
