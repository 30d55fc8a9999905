// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request_parts.h"

#include <utility>

#include "json/document.h"
#include "json/string_decoder.h"
#include "json/tree.h"

namespace fuseboard::llm {
namespace {

// What a schema or the arguments of a tool call name is the caller's own business.
bool is_callers_own(std::string_view name) {
  return name == "input" || name == "input_schema" || name == "parameters" || name == "schema" || name == "arguments";
}

class ReferenceWalk {
 public:
  // Only what tools run in is a container of the provider's.
  explicit ReferenceWalk(bool in_tools) noexcept : in_tools_(in_tools) {}

  std::string_view found() const noexcept { return found_; }

  void visit(const json::Value& value, std::size_t depth = 0) {
    if (depth == kMaxDepth || !found_.empty()) return;
    if (value.is_array()) {
      value.each_element([&](const json::Value& element) { visit(element, depth + 1); });
    } else if (value.is_object()) {
      value.each_member([&](std::string_view name, const json::Value& member) {
        if (!is_callers_own(name)) look_at(name, member, depth);
      });
    }
  }

 private:
  // Deeper than any place where a reference may stand.
  static constexpr std::size_t kMaxDepth = 16;

  void look_at(std::string_view name, const json::Value& value, std::size_t depth) {
    const bool is_text = value.is_string() && value.has_content();
    if (name == "file_id" && is_text) return note("file_id");
    if (name == "type" && value.literal() == R"("item_reference")") return note("item_reference");
    if (name == "container" && is_text && in_tools_) return note("container");
    if (name == "file_ids") return note_if(value.has_content(), "file_ids");
    if (name == "vector_store_ids") return note_if(value.has_content(), "vector_store_ids");
    if (name == "audio") return look_at_audio(value);
    visit(value, depth + 1);
  }

  // An earlier answer in sound, by its id.
  void look_at_audio(const json::Value& value) {
    value.each_member([&](std::string_view name, const json::Value&) {
      if (name == "id") note("audio");
    });
  }

  void note(std::string_view what) { note_if(true, what); }
  void note_if(bool refers, std::string_view what) {
    if (refers && found_.empty()) found_ = what;
  }

  bool in_tools_;
  std::string_view found_{};
};

std::string_view walk(std::string_view json, bool in_tools) {
  if (json.empty()) return {};
  json::Document document(json);
  ReferenceWalk references(in_tools);
  references.visit(document.root());
  return references.found();
}

}  // namespace

std::optional<RequestError> no_tree(std::string_view body) {
  if (const auto error = json::validate_object(body, [](const json::Member&) {})) return not_json(body, *error);
  if (body.size() <= json::kMaxTreeBytes) return std::nullopt;
  return RequestError{.message = "The request body is too large.", .param = {}, .code = "invalid_json"};
}

std::optional<std::string> decoded_literal(std::string_view literal) {
  const std::string_view inside = literal.substr(1, literal.size() - 2);
  if (!inside.contains('\\')) return std::string(inside);
  return json::unescape(literal);
}

std::string_view member_of(std::string_view object, std::string_view name) {
  std::string_view found;
  if (!object.starts_with('{')) return found;
  json::validate_object(object, [&](const json::Member& member) {
    const std::string_view inside = member.name.substr(1, member.name.size() - 2);
    if (inside == name || (inside.contains('\\') && decoded_literal(member.name) == name)) found = member.value;
  });
  return found;
}

std::string_view binding_reference(std::string_view conversation, std::string_view tools) {
  const std::string_view found = walk(conversation, false);
  return found.empty() ? walk(tools, true) : found;
}

}  // namespace fuseboard::llm
