// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/chat_request.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "sim/body_parts.h"
#include "sim/conversation_rules.h"
#include "sim/json_reading.h"
#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxInputs = 2048;  // OpenAI's own bound for embeddings
constexpr std::size_t kMaxDimensions = 4096;

bool holds_tool_result(const json& message) {
  if (member(message, "role") == "tool") return true;
  const json& content = member(message, "content");
  if (!content.is_array()) return false;
  for (const json& part : content) {
    if (member(part, "type") == "tool_result") return true;
  }
  return false;
}

// Anthropic takes no prefill that ends with white space: https://docs.claude.com/en/docs/build-with-claude/prefill
Checked check_prefill(const ChatRequest& request) {
  constexpr std::string_view kSpace = " \t\r\n";
  if (!request.prefill || request.prefill->empty() || kSpace.find(request.prefill->back()) == kSpace.npos) return {};
  return std::unexpected(
      BadRequest{"messages: final assistant content cannot end with trailing whitespace", "messages"});
}

// What the servers of a dialect refuse beyond what conversation_rules.h says, and where they find tools.
struct RequestRules {
  Checked (*check_thinking)(const json& root);
  Checked (*check_prefill)(const ChatRequest& request);
  bool needs_max_tokens;
  void (*read_tools)(const json& root, ChatRequest& request);
};

RequestRules rules_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return {.check_thinking = [](const json&) { return Checked(); },
              .check_prefill = [](const ChatRequest&) { return Checked(); },
              .needs_max_tokens = false,
              .read_tools = read_openai_tools};
    case Dialect::anthropic:
      return {.check_thinking = check_thinking,
              .check_prefill = check_prefill,
              .needs_max_tokens = true,
              .read_tools = read_anthropic_tools};
  }
  std::unreachable();
}

Checked read_messages(Dialect dialect, const json& root, ChatRequest& request) {
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
    take_message(message["role"].get_ref<const std::string&>(), member(message, "content"), i + 1 == messages.size(),
                 request);
  }
  if (auto checked = check_messages(dialect, messages); !checked) return checked;
  if (auto checked = rules_of(dialect).check_thinking(root); !checked) return checked;
  if (auto checked = check_tools(dialect, member(root, "tools")); !checked) return checked;
  request.after_tool_result = holds_tool_result(messages.back());
  count_prompt(messages.size(), request);
  return {};
}

Checked read_limits(Dialect dialect, const json& root, ChatRequest& request) {
  if (auto read = read_max_tokens(root, {"max_completion_tokens", "max_tokens"}, request); !read) return read;
  if (rules_of(dialect).needs_max_tokens && !request.max_tokens) {
    return std::unexpected(BadRequest{"max_tokens: Field required", "max_tokens"});
  }
  const json& choices = member(root, "n");
  if (!choices.is_null() && choices != 1) return std::unexpected(BadRequest{"n: only 1 is supported.", "n"});
  return {};
}

}  // namespace

std::expected<ChatRequest, BadRequest> read_chat(Dialect dialect, std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  ChatRequest request;
  request.model = text_member(*root, "model");
  request.stream = is_true(member(*root, "stream"));
  request.has_stream_options = !member(*root, "stream_options").is_null();
  request.include_usage = is_true(member(member(*root, "stream_options"), "include_usage"));
  if (auto read = read_messages(dialect, *root, request); !read) return std::unexpected(read.error());
  if (auto read = read_limits(dialect, *root, request); !read) return std::unexpected(read.error());
  const RequestRules rules = rules_of(dialect);
  if (auto checked = rules.check_prefill(request); !checked) return std::unexpected(checked.error());
  rules.read_tools(*root, request);
  return request;
}

std::expected<ChatRequest, BadRequest> read_token_count(std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  ChatRequest request;
  request.model = text_member(*root, "model");
  if (auto read = read_messages(Dialect::anthropic, *root, request); !read) return std::unexpected(read.error());
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
