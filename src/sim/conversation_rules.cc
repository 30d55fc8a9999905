// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The words are those of the providers, as issues of their clients quote them.

#include "sim/conversation_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/json_reading.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;
using Ids = std::vector<std::string>;

constexpr std::string_view kOpenAiRoles[] = {"system", "developer", "user", "assistant", "tool", "function"};
constexpr std::string_view kAnthropicRoles[] = {"user", "assistant"};
constexpr std::string_view kOpenAiParts[] = {"text", "image_url", "input_audio", "file", "refusal"};
constexpr std::string_view kAnthropicParts[] = {"text",       "image",           "document",          "search_result",
                                                "thinking",   "tool_result",     "redacted_thinking", "tool_use",
                                                "compaction", "container_upload"};

std::unexpected<BadRequest> bad(std::string message, std::string param) {
  return std::unexpected(BadRequest{std::move(message), std::move(param)});
}

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Checked check_openai_role(std::string_view role, std::size_t index) {
  if (is_one_of(role, kOpenAiRoles)) return {};
  return bad(fmt::format("Invalid value: '{}'. Supported values are: '{}'.", role, fmt::join(kOpenAiRoles, "', '")),
             fmt::format("messages[{}].role", index));
}

Checked check_anthropic_role(std::string_view role, std::size_t) {
  if (is_one_of(role, kAnthropicRoles)) return {};
  return bad(fmt::format("messages: Unexpected role \"{}\". Allowed roles are \"user\" or \"assistant\".", role),
             "messages");
}

// What tools of the server's own leave behind has many names, which begin or end alike.
bool is_server_part(std::string_view type) {
  return type.ends_with("_tool_result") || type.starts_with("server_") || type.starts_with("mcp_");
}

Checked check_openai_part(const json&, std::string_view type, std::size_t message, std::size_t index) {
  if (is_one_of(type, kOpenAiParts)) return {};
  return bad(fmt::format("Invalid value: '{}'. Supported values are: '{}'.", type, fmt::join(kOpenAiParts, "', '")),
             fmt::format("messages[{}].content[{}].type", message, index));
}

// Thoughts are taken back only as they were signed.
Checked check_signature(const json& part, std::size_t message, std::size_t index) {
  if (member(part, "type") != "thinking") return {};
  const json& signature = member(part, "signature");
  if (signature.is_null()) {
    return bad(fmt::format("messages.{}.content.{}.thinking.signature: Field required", message, index), "messages");
  }
  if (signature != "") return {};
  return bad(fmt::format("messages.{}.content.{}: Invalid `signature` in `thinking` block", message, index),
             "messages");
}

Checked check_anthropic_part(const json& part, std::string_view type, std::size_t message, std::size_t index) {
  if (is_one_of(type, kAnthropicParts) || is_server_part(type)) return check_signature(part, message, index);
  return bad(fmt::format("messages.{}.content.{}: Input tag '{}' found using 'type' does not match any of the expected "
                         "tags: '{}'",
                         message, index, type, fmt::join(kAnthropicParts, "', '")),
             "messages");
}

// The ids under `key` of those entries whose type is `type`; of all where `type` is empty.
Ids ids_in(const json& entries, std::string_view type, std::string_view key) {
  Ids ids;
  if (!entries.is_array()) return ids;
  for (const json& entry : entries) {
    if (!type.empty() && member(entry, "type") != type) continue;
    if (std::string id = text_member(entry, key); !id.empty()) ids.push_back(std::move(id));
  }
  return ids;
}

// The first of `ids` that `others` has not.
const std::string* missing_in(const Ids& others, const Ids& ids) {
  const auto it = std::find_if(ids.begin(), ids.end(), [&](const std::string& id) {
    return std::find(others.begin(), others.end(), id) == others.end();
  });
  return it == ids.end() ? nullptr : &*it;
}

// Calls and results of chat completions: each call is answered before anything else is said.
Checked check_openai_calls(const json& messages) {
  Ids open;
  const auto unanswered = [&open] {
    return bad(
        fmt::format("An assistant message with 'tool_calls' must be followed by tool messages responding to each "
                    "'tool_call_id'. The following tool_call_ids did not have response messages: {}",
                    fmt::join(open, ", ")),
        "messages");
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const json& message = messages[i];
    if (member(message, "role") == "tool") {
      if (std::erase(open, text_member(message, "tool_call_id")) != 0) continue;
      return bad(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
          "'tool_calls'.",
          fmt::format("messages.[{}].role", i));
    }
    if (!open.empty()) return unanswered();
    if (member(message, "role") == "assistant") open = ids_in(member(message, "tool_calls"), "", "id");
  }
  if (!open.empty()) return unanswered();
  return {};
}

// Calls and results of messages: the next message answers all of them, and nothing else.
Checked check_anthropic_calls(const json& messages) {
  Ids calls;
  for (std::size_t i = 0; i <= messages.size(); ++i) {
    const json& content = i < messages.size() ? member(messages[i], "content") : json();
    const Ids results = ids_in(content, "tool_result", "tool_use_id");
    if (const std::string* id = missing_in(calls, results)) {
      return bad(fmt::format("messages.{}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: {}. Each "
                             "`tool_result` block must have a corresponding `tool_use` block in the previous message.",
                             i, *id),
                 "messages");
    }
    if (const std::string* id = missing_in(results, calls)) {
      return bad(
          fmt::format("messages.{}: `tool_use` ids were found without `tool_result` blocks immediately after: {}. "
                      "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
                      i - 1, *id),
          "messages");
    }
    calls = ids_in(content, "tool_use", "id");
  }
  return {};
}

Checked check_openai_tool(const json& tool, std::size_t index) {
  const std::string type = text_member(tool, "type");
  if (type.empty()) {
    const std::string param = fmt::format("tools[{}].type", index);
    return bad(fmt::format("Missing required parameter: '{}'.", param), param);
  }
  const std::string param = fmt::format("tools[{}].function.name", index);
  if (type != "function" || !text_member(member(tool, "function"), "name").empty()) return {};
  return bad(fmt::format("Missing required parameter: '{}'.", param), param);
}

Checked check_anthropic_tool(const json& tool, std::size_t index) {
  const std::string type = text_member(tool, "type");
  if (type == "function") {
    return bad(
        fmt::format("tools.{}: Input tag 'function' found using 'type' does not match any of the expected tags", index),
        "tools");
  }
  if ((type.empty() || type == "custom") && !member(tool, "input_schema").is_object()) {
    return bad(fmt::format("tools.{}.custom.input_schema: Field required", index), "tools");
  }
  return {};
}

// What the servers of a dialect refuse.
struct Rules {
  Checked (*check_role)(std::string_view role, std::size_t index);
  Checked (*check_part)(const json& part, std::string_view type, std::size_t message, std::size_t index);
  Checked (*check_calls)(const json& messages);
  Checked (*check_tool)(const json& tool, std::size_t index);
};

Rules rules_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return {check_openai_role, check_openai_part, check_openai_calls, check_openai_tool};
    case Dialect::anthropic:
      return {check_anthropic_role, check_anthropic_part, check_anthropic_calls, check_anthropic_tool};
  }
  std::unreachable();
}

Checked check_parts(const Rules& rules, const json& content, std::size_t message) {
  if (!content.is_array()) return {};
  for (std::size_t i = 0; i < content.size(); ++i) {
    const json& type = member(content[i], "type");
    if (!type.is_string()) continue;
    const auto checked = rules.check_part(content[i], type.get_ref<const std::string&>(), message, i);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace

Checked check_messages(Dialect dialect, const json& messages) {
  const Rules rules = rules_of(dialect);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (auto checked = rules.check_role(text_member(messages[i], "role"), i); !checked) return checked;
    if (auto checked = check_parts(rules, member(messages[i], "content"), i); !checked) return checked;
  }
  return rules.check_calls(messages);
}

Checked check_thinking(const json& request) {
  const json& messages = member(request, "messages");
  if (text_member(member(request, "thinking"), "type") != "enabled" || messages.size() < 2) return {};
  const json& last = messages.back();
  const json& before = messages[messages.size() - 2];
  const json& content = member(before, "content");
  if (ids_in(member(last, "content"), "tool_result", "tool_use_id").empty() || !content.is_array()) return {};
  const std::string type = content.empty() ? std::string() : text_member(content.front(), "type");
  if (type == "thinking" || type == "redacted_thinking") return {};
  return bad(fmt::format("messages.{}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{}`. When "
                         "`thinking` is enabled, a final `assistant` message must start with a thinking block.",
                         messages.size() - 2, type),
             "messages");
}

Checked check_tools(Dialect dialect, const json& tools) {
  if (!tools.is_array()) return {};
  const Rules rules = rules_of(dialect);
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (auto checked = rules.check_tool(tools[i], i); !checked) return checked;
  }
  return {};
}

}  // namespace fuseboard::sim
