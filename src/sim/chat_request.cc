// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/chat_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxInputs = 2048;  // OpenAI's own bound for embeddings
constexpr std::size_t kMaxDimensions = 4096;

// A member of an object, or null: reading never throws on a shape that is not what it should be.
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

bool true_member(const json& value, std::string_view key) { return member(value, key) == json(true); }

// The text of a message's content: a string, or the texts of its parts, those inside tool results included.
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

bool holds_tool_result(const json& message) {
  if (member(message, "role") == "tool") return true;
  const json& content = member(message, "content");
  if (!content.is_array()) return false;
  for (const json& part : content) {
    if (member(part, "type") == "tool_result") return true;
  }
  return false;
}

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
  // ASCII, so that a stream may be cut anywhere without splitting a character.
  return arguments.dump(-1, ' ', true);
}

void read_tool(Dialect dialect, const json& root, ChatRequest& request) {
  const json& choice = member(root, "tool_choice");
  std::string wanted;
  if (dialect == Dialect::kOpenAi) {
    wanted = text_member(member(choice, "function"), "name");
    request.tool_forced = choice == "required" || !wanted.empty();
  } else {
    wanted = text_member(choice, "name");
    request.tool_forced = member(choice, "type") == "any" || member(choice, "type") == "tool";
  }
  const json& tools = member(root, "tools");
  if (!tools.is_array()) return;
  for (const json& tool : tools) {
    const bool openai = dialect == Dialect::kOpenAi;
    const json& definition = openai ? member(tool, "function") : tool;
    const std::string name = text_member(definition, "name");
    if (name.empty() || (!wanted.empty() && name != wanted)) continue;
    request.tool = name;
    request.tool_arguments = sample_arguments(member(definition, openai ? "parameters" : "input_schema"));
    return;
  }
}

std::expected<void, BadRequest> read_messages(const json& root, ChatRequest& request) {
  const json& messages = member(root, "messages");
  if (!messages.is_array() || messages.empty()) {
    return std::unexpected(BadRequest{"'messages' must be an array with at least one message.", "messages"});
  }
  append_text(member(root, "system"), request.prompt);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const json& message = messages[i];
    if (!member(message, "role").is_string()) {
      return std::unexpected(BadRequest{fmt::format("messages[{}].role: a text is required.", i), "messages"});
    }
    append_text(member(message, "content"), request.prompt);
    if (message["role"] == "user") {
      request.last_user.clear();
      append_text(member(message, "content"), request.last_user);
    }
  }
  request.after_tool_result = holds_tool_result(messages.back());
  // Roles and separators cost a few tokens a message.
  request.prompt_tokens = count_tokens(request.prompt) + 4 * messages.size();
  return {};
}

std::expected<void, BadRequest> read_limits(Dialect dialect, const json& root, ChatRequest& request) {
  for (const std::string_view name : {"max_completion_tokens", "max_tokens"}) {
    const json& limit = member(root, name);
    if (limit.is_null()) continue;
    if (!limit.is_number_unsigned() || limit.get<std::uint64_t>() == 0) {
      return std::unexpected(BadRequest{fmt::format("{}: must be an integer of at least 1.", name), std::string(name)});
    }
    if (!request.max_tokens) request.max_tokens = limit.get<std::size_t>();
  }
  if (dialect == Dialect::kAnthropic && !request.max_tokens) {
    return std::unexpected(BadRequest{"max_tokens: Field required", "max_tokens"});
  }
  const json& choices = member(root, "n");
  if (!choices.is_null() && choices != 1) return std::unexpected(BadRequest{"n: only 1 is supported.", "n"});
  return {};
}

std::expected<json, BadRequest> read_root(std::string_view body) {
  json root = json::parse(body, nullptr, false);
  if (!root.is_object()) {
    return std::unexpected(
        BadRequest{"We could not parse the JSON body of your request: a JSON object is expected.", ""});
  }
  if (text_member(root, "model").empty())
    return std::unexpected(BadRequest{"you must provide a model parameter", "model"});
  return root;
}

}  // namespace

std::expected<ChatRequest, BadRequest> read_chat(Dialect dialect, std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  ChatRequest request;
  request.model = text_member(*root, "model");
  request.stream = true_member(*root, "stream");
  request.include_usage = true_member(member(*root, "stream_options"), "include_usage");
  if (auto read = read_messages(*root, request); !read) return std::unexpected(read.error());
  if (auto read = read_limits(dialect, *root, request); !read) return std::unexpected(read.error());
  read_tool(dialect, *root, request);
  return request;
}

std::expected<ChatRequest, BadRequest> read_token_count(std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  ChatRequest request;
  request.model = text_member(*root, "model");
  if (auto read = read_messages(*root, request); !read) return std::unexpected(read.error());
  return request;
}

std::expected<EmbeddingsRequest, BadRequest> read_embeddings(std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  EmbeddingsRequest request;
  request.model = text_member(*root, "model");
  request.base64 = member(*root, "encoding_format") == "base64";
  const json& dimensions = member(*root, "dimensions");
  if (!dimensions.is_null()) {
    if (!dimensions.is_number_unsigned() || dimensions == 0 || dimensions.get<std::uint64_t>() > kMaxDimensions) {
      return std::unexpected(
          BadRequest{fmt::format("dimensions: 1 to {} are supported.", kMaxDimensions), "dimensions"});
    }
    request.dimensions = dimensions.get<std::size_t>();
  }
  const json& input = member(*root, "input");
  const bool one = input.is_string() || (input.is_array() && !input.empty() && input.front().is_number());
  const BadRequest bad = {fmt::format("input: a text or an array of 1 to {} texts is required.", kMaxInputs), "input"};
  if (!one && (!input.is_array() || input.empty() || input.size() > kMaxInputs)) return std::unexpected(bad);
  const auto add = [&](const json& entry) {
    request.inputs.push_back(entry.is_string() ? entry.get<std::string>() : json_text(entry));
  };
  if (one) {
    add(input);
  } else {
    for (const json& entry : input) {
      if (!entry.is_string() && !entry.is_array()) return std::unexpected(bad);
      add(entry);
    }
  }
  return request;
}

std::string model_of(std::string_view body) {
  const json root = json::parse(body, nullptr, false);
  return text_member(root, "model");
}

std::size_t count_tokens(std::string_view text) { return text.size() / 4 + 1; }

}  // namespace fuseboard::sim
