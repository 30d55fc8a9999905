// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/body_parts.h"

#include <fmt/format.h>

#include <utility>

#include "sim/json_reading.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTools = 128;  // OpenAI's own bound

// A tool's definition stands inside `function` in chat completions, and is the entry itself elsewhere.
void read_tools(const json& tools, std::string_view wanted, std::string_view schema_key, ChatRequest& request) {
  if (!tools.is_array()) return;
  for (const json& tool : tools) {
    const json& definition = member(tool, "function").is_object() ? tool["function"] : tool;
    std::string name = text_member(definition, "name");
    if (name.empty() || (!wanted.empty() && name != wanted)) continue;
    if (request.tools.size() == kMaxTools) return;
    request.tools.push_back({std::move(name), sample_arguments(member(definition, schema_key))});
  }
}

}  // namespace

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

Checked read_max_tokens(const json& root, std::initializer_list<std::string_view> names, ChatRequest& request) {
  for (const std::string_view name : names) {
    const json& limit = member(root, name);
    if (limit.is_null()) continue;
    if (!limit.is_number_unsigned() || limit.get<std::uint64_t>() == 0) {
      return std::unexpected(BadRequest{fmt::format("{}: must be an integer of at least 1.", name), std::string(name)});
    }
    if (!request.max_tokens) request.max_tokens = limit.get<std::size_t>();
  }
  return {};
}

void read_openai_tools(const json& root, ChatRequest& request) {
  const json& choice = member(root, "tool_choice");
  // Chat completions name the wanted tool inside `function`, responses beside it.
  std::string wanted = text_member(member(choice, "function"), "name");
  if (wanted.empty()) wanted = text_member(choice, "name");
  request.tool_forced = choice == "required" || !wanted.empty();
  request.parallel_calls = !is_false(member(root, "parallel_tool_calls"));
  request.tool_barred = choice == "none";
  read_tools(member(root, "tools"), wanted, "parameters", request);
}

void read_anthropic_tools(const json& root, ChatRequest& request) {
  const json& choice = member(root, "tool_choice");
  const json& type = member(choice, "type");
  request.tool_forced = type == "any" || type == "tool";
  request.parallel_calls = !is_true(member(choice, "disable_parallel_tool_use"));
  request.tool_barred = type == "none";
  read_tools(member(root, "tools"), text_member(choice, "name"), "input_schema", request);
}

void take_message(std::string_view role, const json& content, bool last, ChatRequest& request) {
  if (last && role == "assistant") {
    append_text(content, request.prefill.emplace());
    return;
  }
  append_text(content, request.prompt);
  if (role == "user") {
    request.last_user.clear();
    append_text(content, request.last_user);
  }
}

void count_prompt(std::size_t messages, ChatRequest& request) {
  request.prompt_tokens = count_tokens(request.prompt) + 4 * messages;
  if (request.prefill) request.prompt_tokens += count_tokens(*request.prefill);
}

}  // namespace fuseboard::sim
