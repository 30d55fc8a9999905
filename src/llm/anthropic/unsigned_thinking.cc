// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/anthropic/unsigned_thinking.h"

#include <cstring>
#include <utility>

#include "json/document.h"

namespace fuseboard::llm {
namespace {

// In place of what stands in `old`, a view of the body.
struct Replacement {
  std::string_view old;
  std::string text;
};

// The first look, at the speed of memory: most bodies say nothing of the kind.
bool mentions_thinking(std::string_view body) noexcept {
  constexpr std::string_view kWord = "thinking\"";
  return memmem(body.data(), body.size(), kWord.data(), kWord.size()) != nullptr;
}

bool is_unsigned_thinking(const json::Value& block) {
  bool thinks = false;
  bool is_signed = false;
  block.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "type") thinks = value.literal() == R"("thinking")";
    if (name == "signature") is_signed = value.is_string() && value.has_content();
  });
  return thinks && !is_signed;
}

bool is_result(const json::Value& block) {
  bool is_one = false;
  block.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "type") is_one = value.literal() == R"("tool_result")";
  });
  return is_one;
}

void append_element(std::string& list, std::string_view element) {
  if (list.size() > 1) list += ',';
  list += element;
}

class Messages {
 public:
  void read(const json::Value& messages) {
    messages.each_element([&](const json::Value& message) { read_message(message); });
    list_ += ']';
  }

  bool changed() const noexcept { return changed_; }
  bool empty() const noexcept { return list_.size() == 2; }
  // The turn that goes on has lost thoughts that it began with.
  bool goes_on_without() const noexcept { return lost_last_ && answers_call_; }
  std::string take() && { return std::move(list_); }

 private:
  void read_message(const json::Value& message) {
    bool is_assistant = false;
    bool has_result = false;
    std::string_view content;
    std::string kept = "[";
    bool lost = false;
    message.each_member([&](std::string_view name, const json::Value& value) {
      if (name == "role") is_assistant = value.literal() == R"("assistant")";
      if (name != "content" || !value.is_array()) return;
      kept = "[";
      lost = has_result = false;
      value.each_element([&](const json::Value& block) {
        has_result = has_result || is_result(block);
        if (is_unsigned_thinking(block)) {
          lost = true;
        } else {
          append_element(kept, block.raw());
        }
      });
      content = value.raw();
    });
    kept += ']';
    if (is_assistant) lost_last_ = lost;
    answers_call_ = has_result && !is_assistant;
    if (!lost) return append_element(list_, message.raw());
    changed_ = true;
    if (kept.size() == 2) return;
    const std::string_view raw = message.raw();
    const auto at = static_cast<std::size_t>(content.data() - raw.data());
    append_element(list_, std::string(raw).replace(at, content.size(), kept));
  }

  std::string list_ = "[";
  bool changed_ = false;
  bool lost_last_ = false;     // of the latest assistant's message
  bool answers_call_ = false;  // of the latest message
};

}  // namespace

std::optional<std::string> without_unsigned_thinking(std::string_view body) {
  if (!mentions_thinking(body)) return std::nullopt;
  json::Document document(body);
  Messages messages;
  std::string_view old;
  std::string_view thinking;  // the caller's wish, if it is the old one that demands signed thoughts
  document.root().each_member([&](std::string_view name, const json::Value& value) {
    if (name == "messages") {
      messages.read(value);
      old = value.raw();
    } else if (name == "thinking") {
      value.each_member([&](std::string_view field, const json::Value& type) {
        if (field == "type" && type.literal() == R"("enabled")") thinking = value.raw();
      });
    }
  });
  if (!messages.changed() || messages.empty()) return std::nullopt;
  Replacement first{.old = old};
  Replacement second{.old = body.substr(body.size())};
  if (messages.goes_on_without() && !thinking.empty()) second = {.old = thinking, .text = R"({"type":"disabled"})"};
  first.text = std::move(messages).take();
  if (second.old.data() < first.old.data()) std::swap(first, second);
  std::string changed;
  changed.reserve(body.size() + second.text.size());
  std::size_t at = 0;
  for (const Replacement& one : {first, second}) {
    const auto from = static_cast<std::size_t>(one.old.begin() - body.begin());
    changed.append(body.substr(at, from - at)).append(one.text);
    at = from + one.old.size();
  }
  return changed.append(body.substr(at));
}

}  // namespace fuseboard::llm
