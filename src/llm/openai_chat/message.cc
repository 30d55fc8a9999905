// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_chat/message.h"

#include <optional>
#include <utility>

#include "llm/error_details.h"
#include "llm/seen_text.h"

namespace fuseboard::llm {
namespace {

bool is_reasoning(std::string_view name) { return name == "reasoning_content" || name == "reasoning"; }

void add_text(std::vector<Delta>& deltas, Delta::Kind kind, std::string text) {
  if (!text.empty()) deltas.push_back({.kind = kind, .text = std::move(text)});
}

// Whether a `function` of a call, or what has its place, holds a piece of the arguments.
bool says_arguments(const json::Value& function) {
  bool says = false;
  function.each_member([&](std::string_view name, const json::Value& value) {
    if ((name == "arguments" || name == "input") && value.has_content()) says = true;
  });
  return says;
}

bool call_says_arguments(const json::Value& call) {
  bool says = false;
  call.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "function" || name == "custom") says = says || says_arguments(value);
  });
  return says;
}

// What the members of one message come to.
class Tally {
 public:
  explicit Tally(MessageForm form) noexcept : whole_(form == MessageForm::whole) {}

  void take(std::string_view name, const json::Value& value) {
    if (name == "content") {
      take_content(value);
    } else if (name == "tool_calls") {
      fills_in_ = fills_in_ || (value.is_array() && !value.has_content());
      value.each_element([&](const json::Value& call) { take_call(whole_ || call_says_arguments(call)); });
    } else if (name == "function_call") {
      if (value.is_object()) take_call(whole_ || says_arguments(value));
    } else if (value.has_content()) {
      facts_.content = true;
      facts_.plain = false;
      (name == "refusal" || name == "audio" ? text_ : thoughts_) = true;
    } else if (is_reasoning(name) && value.is_string()) {
      begins_to_think_ = true;
    }
  }

  MessageFacts facts() const noexcept {
    MessageFacts facts = facts_;
    const bool thinks = thoughts_ || (begins_to_think_ && !fills_in_);
    facts.work = !facts.content && (thinks || calls_);
    facts.at_work = (thinks || calls_) && !text_;
    return facts;
  }

 private:
  void take_content(const json::Value& content) {
    const bool is_text = content.is_string();
    fills_in_ = fills_in_ || (is_text && !content.has_content());
    if (!content.has_content()) return;
    facts_.content = true;
    facts_.plain = facts_.plain && is_text;
    text_ = true;
  }

  void take_call(bool says) noexcept {
    calls_ = true;
    facts_.content = facts_.content || says;
    facts_.plain = false;
  }

  MessageFacts facts_{};
  bool whole_;
  bool fills_in_ = false;  // members of which there is nothing: then empty thoughts say nothing either
  bool text_ = false;
  bool thoughts_ = false;
  bool begins_to_think_ = false;
  bool calls_ = false;
};

}  // namespace

struct ChatMessageReader::Said {
  std::string reasoning{};
  std::string text{};
  std::string refusal{};
  std::vector<Delta> calls{};
  bool too_many = false;
};

struct ChatMessageReader::CallPiece {
  std::optional<std::uint64_t> index{};
  std::string_view id{};
  std::string_view name{};
  std::string_view arguments{};  // a literal, or what is no string as written

  void read_function(const json::Value& function) {
    function.each_member([&](std::string_view field, const json::Value& member) {
      if (field == "name") name = member.text();
      if (field != "arguments" || !member.has_content()) return;
      arguments = member.is_string() ? member.literal() : member.raw();
    });
  }
};

bool is_content_field(std::string_view name) {
  return name == "content" || name == "tool_calls" || name == "refusal" || name == "function_call" || name == "audio" ||
         // DeepSeek and vLLM say reasoning_content, OpenRouter, Groq and Ollama reasoning; OpenRouter adds details.
         name == "reasoning_content" || name == "reasoning" || name == "reasoning_details";
}

MessageFacts look_at_message(const json::Value& message, MessageForm form) {
  Tally tally(form);
  MessageBytes bytes;
  message.each_member([&](std::string_view name, const json::Value& value) {
    if (!is_content_field(name)) return;
    tally.take(name, value);
    if (value.has_content()) bytes.take(name, value);
  });
  MessageFacts facts = tally.facts();
  facts.bytes = bytes.count();
  return facts;
}

MessageFacts ChatMessageReader::read(const json::Value& message, MessageForm form, std::vector<Delta>& deltas) {
  Said said;
  Tally tally(form);
  MessageBytes bytes;
  ++events_;
  bool reasoning_said = false;
  message.each_member([&](std::string_view name, const json::Value& value) {
    if (!is_content_field(name)) return;
    tally.take(name, value);
    bytes.take(name, value);
    if (name == "content") {
      read_content(value, said);
    } else if (name == "tool_calls") {
      read_calls(value, form, said);
    } else if (name == "function_call" && value.is_object()) {
      // As OpenAI said it before it had `tool_calls`: one, without an id.
      CallPiece piece{.index = 0};
      piece.read_function(value);
      read_call(piece, form, said);
    } else if (value.has_content()) {
      const std::string_view literal = value.literal();
      if (name == "refusal") refusal_.append(said.refusal, literal);
      // Some servers say the same thoughts under both names.
      if (is_reasoning(name) && !std::exchange(reasoning_said, true)) reasoning_.append(said.reasoning, literal);
    }
  });
  add_text(deltas, Delta::Kind::reasoning, std::move(said.reasoning));
  add_text(deltas, Delta::Kind::text, std::move(said.text));
  add_text(deltas, Delta::Kind::refusal, std::move(said.refusal));
  for (Delta& delta : said.calls) deltas.push_back(std::move(delta));
  MessageFacts facts = tally.facts();
  facts.too_many = said.too_many || held() > kMaxHeldCalls;
  facts.bytes = bytes.count();
  return facts;
}

void ChatMessageReader::read_content(const json::Value& content, Said& said) {
  if (content.is_string()) {
    text_.append(said.text, content.literal());
    return;
  }
  content.each_element([&](const json::Value& part) { read_content_part(part, said); });
}

// Mistral: {"type":"text","text"} and {"type":"thinking","thinking":[{"type":"text","text"}]}.
void ChatMessageReader::read_content_part(const json::Value& part, Said& said) {
  part.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "text") text_.append(said.text, value.literal());
    if (name != "thinking") return;
    value.each_element([&](const json::Value& thought) {
      thought.each_member([&](std::string_view field, const json::Value& words) {
        if (field == "text") reasoning_.append(said.reasoning, words.literal());
      });
    });
  });
}

void ChatMessageReader::read_calls(const json::Value& calls, MessageForm form, Said& said) {
  calls.each_element([&](const json::Value& element) {
    CallPiece piece;
    element.each_member([&](std::string_view name, const json::Value& value) {
      if (name == "index") {
        if (const auto index = value.integer<std::uint64_t>()) piece.index = *index;
      } else if (name == "id") {
        piece.id = value.text();
      } else if (name == "function") {
        piece.read_function(value);
      }
    });
    read_call(piece, form, said);
  });
}

// Which call a piece goes on with; calls_.size(): a new one. Some servers leave the index out, and some count every
// call 0.
std::size_t ChatMessageReader::find_call(const CallPiece& piece, MessageForm form) const noexcept {
  if (form == MessageForm::whole) return calls_.size();
  const auto may_be = [&](const Call& call) { return !piece.index || call.index == *piece.index; };
  for (std::size_t i = calls_.size(); i-- > 0 && !piece.id.empty();) {
    if (may_be(calls_[i]) && calls_[i].id == piece.id) return i;
  }
  for (std::size_t i = calls_.size(); i-- > 0;) {
    if (may_be(calls_[i])) return continues(calls_[i], piece) ? i : calls_.size();
  }
  return calls_.size();
}

// Whether a piece that is not known by its id adds to this call, and does not begin another.
bool ChatMessageReader::continues(const Call& call, const CallPiece& piece) const noexcept {
  if (piece.id.empty() && piece.name.empty()) return true;
  if (!piece.id.empty() && !call.id.empty()) {
    // More of the id, or the id of another call.
    return piece.index && piece.name.empty() && !call.has_arguments;
  }
  if (piece.name.empty() || call.name.empty()) return true;
  // Some servers repeat the name with every piece of the arguments.
  if (piece.name == call.name) return !call.arguments.complete() && call.event != events_;
  return piece.id.empty() && !call.has_arguments && call.event != events_;
}

void ChatMessageReader::add_piece(const CallPiece& piece, Call& call) {
  if (piece.id != call.id) call.id += piece.id;
  if (piece.name != call.name) call.name += piece.name;
  if (piece.arguments.empty()) return;
  call.has_arguments = true;
  const std::size_t before = call.held.size();
  if (!piece.arguments.starts_with('"')) {
    call.held += piece.arguments;
  } else {
    call.decoder.append(call.held, piece.arguments);
  }
  call.arguments.feed(std::string_view(call.held).substr(before));
}

void ChatMessageReader::read_call(const CallPiece& piece, MessageForm form, Said& said) {
  const std::size_t place = find_call(piece, form);
  if (place == kMaxToolCalls) {
    said.too_many = true;
    return;
  }
  if (place == calls_.size()) calls_.push_back({.index = piece.index.value_or(place)});
  Call& call = calls_[place];
  call.event = events_;
  add_piece(piece, call);
  if (form == MessageForm::whole) call.decoder.finish(call.held);
  const bool has_id = !call.id.empty() || call.held.size() > kMaxBeforeId;
  const bool known = has_id && !call.name.empty() && call.has_arguments;
  if (call.told || known || form == MessageForm::whole) tell(place, said.calls);
}

// Calls that are complete but for their arguments keep their place before it.
void ChatMessageReader::tell_before(std::size_t place, std::vector<Delta>& deltas) {
  for (std::size_t i = 0; i < place; ++i) {
    if (!calls_[i].told && !calls_[i].id.empty() && !calls_[i].name.empty()) tell(i, deltas);
  }
}

void ChatMessageReader::tell(std::size_t place, std::vector<Delta>& deltas) {
  Call& call = calls_[place];
  const auto tool = static_cast<std::uint32_t>(place);
  if (!std::exchange(call.told, true)) {
    tell_before(place, deltas);
    deltas.push_back({.kind = Delta::Kind::tool_begin, .tool = tool, .id = call.id, .name = call.name});
  }
  if (call.held.empty()) return;
  deltas.push_back({.kind = Delta::Kind::tool_arguments, .tool = tool, .text = std::exchange(call.held, {})});
}

std::size_t ChatMessageReader::held() const noexcept {
  std::size_t bytes = 0;
  for (const Call& call : calls_) bytes += call.id.size() + call.name.size() + call.held.size();
  return bytes;
}

void ChatMessageReader::finish(std::vector<Delta>& deltas) {
  const auto finish_text = [&deltas](json::StringDecoder& decoder, Delta::Kind kind) {
    std::string text;
    decoder.finish(text);
    add_text(deltas, kind, std::move(text));
  };
  finish_text(reasoning_, Delta::Kind::reasoning);
  finish_text(text_, Delta::Kind::text);
  finish_text(refusal_, Delta::Kind::refusal);
  for (std::size_t place = 0; place < calls_.size(); ++place) {
    if (!calls_[place].told) tell(place, deltas);
  }
}

}  // namespace fuseboard::llm
