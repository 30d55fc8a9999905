// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/json_reading.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

// A value that the simplest reading of a JSON schema accepts.
json sample_value(const json& schema) {
  const json& choices = member(schema, "enum");
  if (choices.is_array() && !choices.empty()) return choices.front();
  const std::string type = text_member(schema, "type");
  if (type == "integer" || type == "number") return 1;
  if (type == "boolean") return true;
  if (type == "array") return json::array();
  if (type == "object") return json::object();
  return "sample";
}

}  // namespace

const json& member(const json& value, std::string_view key) {
  static const json kNull;
  if (!value.is_object()) return kNull;
  const auto it = value.find(key);
  return it == value.end() ? kNull : *it;
}

std::string text_member(const json& value, std::string_view key) {
  const json& found = member(value, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

void append_text(const json& content, std::string& text) {
  if (content.is_string()) {
    if (!text.empty()) text += '\n';
    text += content.get_ref<const std::string&>();
  } else if (content.is_array()) {
    for (const json& part : content) {
      if (member(part, "text").is_string()) append_text(part["text"], text);
      if (member(part, "type") == "tool_result") {
        const json& result = member(part, "content");
        if (result.is_string()) append_text(result, text);
        if (!result.is_array()) continue;
        for (const json& piece : result) append_text(member(piece, "text"), text);
      }
    }
  }
}

std::string sample_arguments(const json& schema) {
  json arguments = json::object();
  const json& required = member(schema, "required");
  if (required.is_array()) {
    for (const json& name : required) {
      if (!name.is_string()) continue;
      arguments[name.get_ref<const std::string&>()] =
          sample_value(member(member(schema, "properties"), name.get_ref<const std::string&>()));
    }
  }
  return arguments.dump(-1, ' ', true);
}

}  // namespace fuseboard::sim
