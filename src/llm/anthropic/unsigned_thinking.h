// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Thoughts in a conversation that no signature vouches for [FBK-8].
//
// Anthropic takes back only thinking that it signed. Where another provider answered a turn of the conversation, its
// thoughts reached the caller as blocks without a signature, and the caller hands them back with every later turn.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::llm {

// `body` is a valid request of messages or of their count. The request without such blocks; a message that held nothing
// else goes with them. Where they were the thoughts of a turn that still waits for its tools, thinking is disabled for
// this request: with `enabled`, such a turn has to begin with signed ones. nullopt: there are none, or nothing would be
// left. One walk over the messages, if any word of thinking is in the body.
std::optional<std::string> without_unsigned_thinking(std::string_view body);

}  // namespace fuseboard::llm
