// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the bodies of the endpoints have in common.
#pragma once

#include <expected>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "sim/chat_request.h"

namespace fuseboard::sim {

using Checked = std::expected<void, BadRequest>;

// The body as an object that names a model.
std::expected<nlohmann::json, BadRequest> read_root(std::string_view body);

// The first of `names` that is given bounds the answer's length.
Checked read_max_tokens(const nlohmann::json& root, std::initializer_list<std::string_view> names,
                        ChatRequest& request);

void read_openai_tools(const nlohmann::json& root, ChatRequest& request);
void read_anthropic_tools(const nlohmann::json& root, ChatRequest& request);

// Reads one message of a conversation; `last` says that nothing follows it.
void take_message(std::string_view role, const nlohmann::json& content, bool last, ChatRequest& request);

// Counts the prompt, when all of it is read; roles and separators cost a few tokens a message.
void count_prompt(std::size_t messages, ChatRequest& request);

}  // namespace fuseboard::sim
