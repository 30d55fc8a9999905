// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A request in words of no dialect, between reading and writing it. Texts are views of the body that was read. Included
// by sources of this module alone.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/scan.h"
#include "json/text.h"
#include "json/tree.h"
#include "llm/translate_request.h"

namespace fuseboard::llm {

using json::Text;

// Nothing but whitespace.
bool is_blank(Text text) noexcept;
// Without whitespace at the end.
Text without_trailing_space(Text text) noexcept;

struct Block {
  enum class Kind : std::uint8_t { text, image, document, call, result };
  Kind kind = Kind::text;
  bool is_error = false;         // result
  Text text{};                   // text; image, document: base64 data, or an image's URL
  Text media_type{};             // of base64 data; empty: `text` is a URL
  Text name{};                   // call: the function; document: the file
  Text id{};                     // call, result
  std::string_view arguments{};  // call: a JSON object
  std::vector<Block> content{};  // result: texts, images and documents
};

struct Turn {
  bool is_assistant = false;
  bool is_system = false;  // said in the midst of the conversation: texts alone
  std::vector<Block> blocks{};
};

struct Tool {
  Text name{};
  std::optional<Text> description{};
  std::string_view schema{};  // a JSON object
  bool strict = false;
};

enum class Choice : std::uint8_t { automatic, none, required, named };

enum class Effort : std::uint8_t { unsaid, none, low, medium, high, xhigh };
// As both dialects write it; empty for what neither says.
std::string_view word(Effort effort) noexcept;

struct Conversation {
  std::vector<Text> system{};
  std::vector<Turn> turns{};
  std::vector<Tool> tools{};
  Choice choice = Choice::automatic;
  Text chosen{};  // named
  bool parallel = true;
  bool stream = false;
  Effort effort = Effort::unsaid;
  std::vector<Text> stop{};
  std::optional<std::uint64_t> output_cap{};
  std::string_view temperature{};  // as written; empty: absent
  std::string_view top_p{};
  std::optional<Text> user{};
  std::string_view schema{};       // of the answer; empty: none
  std::deque<std::string> made{};  // what some of the views point into
};

// What a tool without parameters takes.
inline constexpr std::string_view kNoParameters = R"({"type":"object","properties":{}})";

// What is nested deeper is not translated: with what comes around it, it must stay within json::kMaxDepth.
inline constexpr std::size_t kMaxTranslatedDepth = json::kMaxDepth - 16;

// Thinking budgets by effort; 0: none.
std::uint64_t thinking_budget(Effort effort) noexcept;

// Brings the turns into the order that both dialects take (turn_order.h), and the ids of calls, the names of files and
// what says nothing into the form that they take.
void normalize(Conversation& conversation);

}  // namespace fuseboard::llm
