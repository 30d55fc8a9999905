// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the providers themselves refuse in a conversation: words of the other dialect, and tool results without calls. A
// translation that forgets something shows here as it would there.
#pragma once

#include <nlohmann/json.hpp>

#include "sim/body_parts.h"
#include "sim/provider_error.h"

namespace fuseboard::sim {

// `messages` of chat completions or of messages. Shapes that say nothing (a part that is no object, a call without an
// id) pass.
Checked check_messages(Dialect dialect, const nlohmann::json& messages);

// Of a whole request of messages: thinking that is `enabled` wants a turn that goes on after its tools to have begun
// with thoughts. https://docs.claude.com/en/docs/build-with-claude/extended-thinking
Checked check_thinking(const nlohmann::json& request);

// `tools` of the same.
Checked check_tools(Dialect dialect, const nlohmann::json& tools);

}  // namespace fuseboard::sim
