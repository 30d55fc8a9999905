// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the `message` of a chat completion, and the `delta` of a streamed one, says. Included by sources of this module
// alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "json/document.h"
#include "json/string_decoder.h"
#include "llm/answer_blocks.h"
#include "llm/delta.h"

namespace fuseboard::llm {

// The most calls of one answer that are told apart.
inline constexpr std::size_t kMaxToolCalls = 128;
// The most that is kept of calls whose name or id has not come yet.
inline constexpr std::size_t kMaxHeldCalls = std::size_t{1} << 20;
// How long arguments wait for an id: there are servers that give none.
inline constexpr std::size_t kMaxBeforeId = std::size_t{64} << 10;

struct MessageFacts {
  bool content = false;     // something in it is what commits an answer
  bool work = false;        // nothing in it is, but thoughts or a call have begun [STR-3]
  bool at_work = false;     // what it says are thoughts or a call, which may go on
  bool plain = true;        // nothing in it but a string of text
  bool too_many = false;    // more calls than kMaxToolCalls, or more of them than kMaxHeldCalls
  std::uint64_t bytes = 0;  // of what it says
};

// A `message` has all of each call, a `delta` a piece of it.
enum class MessageForm : std::uint8_t { whole, piece };

// Without copying anything.
// Whether a member of a `message` or a `delta` with this name is what a reader of the answer is after.
bool is_content_field(std::string_view name);

MessageFacts look_at_message(const json::Value& message, MessageForm form);

// One object for the messages of one choice.
class ChatMessageReader {
 public:
  // Appends what `message` says to `deltas`, thoughts first, then text, refusal and calls. A call in pieces is told
  // once its id and name are there and its arguments begin: until then more of the name, or the id, may come.
  MessageFacts read(const json::Value& message, MessageForm form, std::vector<Delta>& deltas);
  // No more comes: appends what still waits for the other half of a character, and calls that lack something.
  void finish(std::vector<Delta>& deltas);

 private:
  struct Call {
    std::uint64_t index = 0;
    std::uint64_t event = 0;  // the latest that said something of it
    std::string id{};
    std::string name{};
    std::string held{};  // arguments that have not been told
    json::StringDecoder decoder{};
    ArgumentsScan arguments{};
    bool has_arguments = false;
    bool told = false;
  };
  struct Said;       // by one message
  struct CallPiece;  // an element of `tool_calls`

  void read_content(const json::Value& content, Said& said);
  void read_content_part(const json::Value& part, Said& said);
  void read_calls(const json::Value& calls, MessageForm form, Said& said);
  void read_call(const CallPiece& piece, MessageForm form, Said& said);
  std::size_t find_call(const CallPiece& piece, MessageForm form) const noexcept;
  bool continues(const Call& call, const CallPiece& piece) const noexcept;
  static void add_piece(const CallPiece& piece, Call& call);
  void tell(std::size_t place, std::vector<Delta>& deltas);
  void tell_before(std::size_t place, std::vector<Delta>& deltas);
  std::size_t held() const noexcept;

  json::StringDecoder reasoning_{};
  json::StringDecoder text_{};
  json::StringDecoder refusal_{};
  std::vector<Call> calls_{};
  std::uint64_t events_ = 0;
};

}  // namespace fuseboard::llm
