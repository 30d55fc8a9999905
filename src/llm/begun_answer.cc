// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/begun_answer.h"

#include <algorithm>
#include <cstddef>

#include "fuseboard/core/utf8.h"
#include "json/scan.h"
#include "llm/answer.h"

namespace fuseboard::llm {
namespace {

// Walks over JSON that it takes to be good, and knows at each byte how it could end there.
class Ending {
 public:
  explicit Ending(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size() && open_.size() <= json::kMaxDepth; ++at) {
      if (in_text_) {
        walk_text(at);
      } else {
        walk(at);
      }
    }
  }

  std::string ended() const {
    // Of a name alone nothing is known.
    const bool in_value = in_text_ && !is_name_;
    std::string whole(text_.substr(0, in_value ? whole_characters() : good_));
    if (in_value) whole += '"';
    std::for_each(open_.rbegin(), open_.rend(), [&](char bracket) { whole += bracket == '{' ? '}' : ']'; });
    return whole;
  }

 private:
  void walk(std::size_t at) {
    switch (const char c = text_[at]) {
      case '{':
      case '[':
        open_ += c;
        name_follows_ = c == '{';
        good_ = at + 1;
        break;
      case '}':
      case ']':
        if (!open_.empty()) open_.pop_back();
        name_follows_ = false;
        good_ = at + 1;
        break;
      case ',':
        name_follows_ = open_.ends_with('{');
        good_ = at;  // what stands before it is whole
        break;
      case ':':
        name_follows_ = false;
        break;
      case '"':
        in_text_ = true;
        is_name_ = name_follows_;
        escape_ = at;
        break;
      default:
        break;
    }
  }

  void walk_text(std::size_t at) {
    if (escaped_) {
      escaped_ = false;
    } else if (text_[at] == '\\') {
      escaped_ = true;
      escape_ = at;
    } else if (text_[at] == '"') {
      in_text_ = false;
      if (!is_name_) good_ = at + 1;
    }
  }

  // How much of a text that breaks off is whole: no half escape, no half character.
  std::size_t whole_characters() const {
    const std::size_t size = text_.size();
    if (escaped_) return escape_;
    constexpr std::size_t kUnicodeEscape = 6;  // \u0041
    if (text_[escape_] == '\\' && text_[escape_ + 1] == 'u' && size - escape_ < kUnicodeEscape) return escape_;
    std::size_t lead = size - 1;
    while (is_continuation(text_[lead])) --lead;
    return is_cut_character(text_.substr(lead)) ? lead : size;
  }

  std::string_view text_;
  std::string open_{};      // brackets
  std::size_t good_ = 0;    // the beginning that is whole but for its closing brackets
  std::size_t escape_ = 0;  // where the latest escape of this text begins, else the text
  bool in_text_ = false;
  bool is_name_ = false;
  bool escaped_ = false;
  bool name_follows_ = false;
};

}  // namespace

std::string ended_json(std::string_view begun) { return Ending(begun).ended(); }

AnswerSoFar read_begun_answer(Endpoint endpoint, std::string_view begun) {
  if (begun.empty()) return {};
  const AnswerJudgement read = judge_answer(endpoint, 200, "application/json", ended_json(begun), {});
  return {.usage = read.usage, .seen = read.seen};
}

}  // namespace fuseboard::llm
