// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Requests of /v1/responses: https://platform.openai.com/docs/api-reference/responses/create.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/body_parts.h"
#include "sim/chat_request.h"
#include "sim/json_reading.h"
#include "sim/json_text.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;

// A message, a call or its result; kinds that say nothing to us (reasoning, references) pass.
Checked take_item(const json& item, std::size_t index, bool last, ChatRequest& request) {
  const json& type = member(item, "type");
  if (type.is_null() || type == "message") {
    if (!member(item, "role").is_string()) {
      return std::unexpected(BadRequest{fmt::format("Missing required parameter: 'input[{}].role'.", index), "input"});
    }
    take_message(item["role"].get_ref<const std::string&>(), member(item, "content"), last, request);
  } else if (type == "function_call_output") {
    append_text(member(item, "output"), request.prompt);
    request.after_tool_result = last;
  } else if (type == "function_call") {
    append_text(member(item, "arguments"), request.prompt);
  }
  return {};
}

Checked read_input(const json& input, ChatRequest& request) {
  if (input.is_string()) {
    take_message("user", input, true, request);
    count_prompt(1, request);
    return {};
  }
  if (!input.is_array() || input.empty()) {
    return std::unexpected(BadRequest{"Missing required parameter: 'input'.", "input"});
  }
  for (std::size_t i = 0; i < input.size(); ++i) {
    if (auto taken = take_item(input[i], i, i + 1 == input.size(), request); !taken) return taken;
  }
  count_prompt(input.size(), request);
  return {};
}

void keep(const json& value, std::string& text) {
  if (!value.is_null()) text = json_text(value);
}

ResponseFields fields_of(const json& root) {
  ResponseFields fields;
  fields.previous_id = text_member(root, "previous_response_id");
  fields.store = !is_false(member(root, "store"));
  keep(member(root, "instructions"), fields.instructions);
  keep(member(root, "tools"), fields.tools);
  keep(member(root, "tool_choice"), fields.tool_choice);
  keep(member(root, "metadata"), fields.metadata);
  return fields;
}

}  // namespace

std::expected<ChatRequest, BadRequest> read_response(std::string_view body) {
  const auto root = read_root(body);
  if (!root) return std::unexpected(root.error());
  ChatRequest request;
  request.model = text_member(*root, "model");
  request.stream = is_true(member(*root, "stream"));
  request.response = fields_of(*root);
  append_text(member(*root, "instructions"), request.prompt);
  if (auto read = read_input(member(*root, "input"), request); !read) return std::unexpected(read.error());
  if (auto read = read_max_tokens(*root, {"max_output_tokens"}, request); !read) return std::unexpected(read.error());
  read_openai_tools(*root, request);
  return request;
}

}  // namespace fuseboard::sim
