// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/prefill.h"

#include "json/number.h"
#include "json/scan.h"
#include "json/string.h"
#include "json/tree.h"
#include "llm/codec.h"
#include "llm/request_parts.h"

namespace fuseboard::llm {
namespace {

using Node = json::Tree::Node;

// What goes into the body, in place of what stands in [begin, end).
struct Splice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

std::size_t begin_of(std::string_view body, Node node) noexcept {
  return static_cast<std::size_t>(node.raw().data() - body.data());
}
std::size_t end_of(std::string_view body, Node node) noexcept { return begin_of(body, node) + node.raw().size(); }

Node last_element(Node list) {
  Node last;
  list.each_element([&](std::size_t, Node element) { last = element; });
  return last;
}

Splice insert(std::size_t at, std::string text) { return {.begin = at, .end = at, .text = std::move(text)}; }

// A further element of `list`.
Splice append_element(std::string_view body, Node list, const std::string& element) {
  const Node last = last_element(list);
  if (last.exists()) return insert(end_of(body, last), "," + element);
  return insert(begin_of(body, list) + 1, element);
}

// Behind the characters of a string.
Splice append_characters(std::string_view body, Node string, std::string_view text) {
  const std::string literal = json::string_literal(text);
  return insert(end_of(body, string) - 1, literal.substr(1, literal.size() - 2));
}

bool ends_with_call(Node message) {
  const Node calls = message.member("tool_calls");
  const Node last = last_element(message.member("content"));
  return (calls.is_array() && !calls.is_empty()) || last.member("type").is("tool_use");
}

Splice join(std::string_view body, Node message, std::string_view text) {
  const Node content = message.member("content");
  if (content.is_string()) return append_characters(body, content, text);
  if (content.is_array()) {
    const Node last = last_element(content);
    if (last.member("type").is("text") && last.member("text").is_string()) {
      return append_characters(body, last.member("text"), text);
    }
    return append_element(body, content, R"({"type":"text","text":)" + json::string_literal(text) + "}");
  }
  if (content.exists()) return {begin_of(body, content), end_of(body, content), json::string_literal(text)};
  return insert(end_of(body, message) - 1, R"(,"content":)" + json::string_literal(text));  // behind its role
}

std::unexpected<RequestError> refusal(std::string_view code, std::string_view problem) {
  return std::unexpected(wrong_parameter("messages", code, problem));
}

}  // namespace

std::string_view prefill_text(Dialect dialect, std::string_view partial) noexcept {
  if (codec(dialect).prefill_may_end_with_space) return partial;
  return partial.substr(0, partial.find_last_not_of(" \t\r\n\f\v") + 1);  // npos + 1 is 0
}

std::expected<std::string, RequestError> with_prefill(Dialect dialect, std::string_view body,
                                                      std::string_view partial) {
  if (auto error = no_tree(body)) return std::unexpected(*std::move(error));
  const json::Tree tree(body);
  Node messages;
  tree.root().each_member([&](std::string_view name, Node value) {
    if (name == "messages") messages = value;
  });
  if (!messages.is_array()) return refusal("invalid_type", "must be an array");
  const std::string_view text = prefill_text(dialect, partial);
  if (text.empty()) return std::string(body);

  const Node last = last_element(messages);
  const bool is_begun = last.member("role").is("assistant");
  if (is_begun && ends_with_call(last))
    return refusal("invalid_value", "end with a tool call, which no text continues");
  const Splice splice =
      is_begun ? join(body, last, text)
               : append_element(body, messages, R"({"role":"assistant","content":)" + json::string_literal(text) + "}");
  std::string spliced;
  spliced.reserve(body.size() + splice.text.size());
  spliced.append(body.substr(0, splice.begin)).append(splice.text).append(body.substr(splice.end));
  return spliced;
}

std::string with_lower_cap(std::string_view body, std::uint64_t said_tokens) {
  std::string lowered;
  std::size_t copied = 0;
  json::validate_object(body, [&](const json::Member& member) {
    if (member.name != R"("max_tokens")" && member.name != R"("max_completion_tokens")") return;
    const auto cap = json::whole_number(member.value);
    if (!cap) return;
    const auto at = static_cast<std::size_t>(member.value.data() - body.data());
    lowered.append(body.substr(copied, at - copied))
        .append(std::to_string(*cap > said_tokens ? *cap - said_tokens : 1));
    copied = at + member.value.size();
  });
  return lowered.append(body.substr(copied));
}

}  // namespace fuseboard::llm
