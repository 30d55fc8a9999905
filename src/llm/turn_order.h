// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which turns of a conversation there are, and in which order they and their blocks stand: what both dialects take.
//
// - Tool results go first in a turn and calls last, as both demand; what is of one sort stays in its order.
// Instructions
//   between calls and their results come after these: OpenAI wants the results right behind the calls.
// - Neighbours of one role become one turn. Texts and turns without anything but whitespace are left out, and
// whitespace
//   at the end of a closing assistant turn: Anthropic refuses all of these.
//
// Included by sources of this module alone.
#pragma once

#include "llm/conversation.h"

namespace fuseboard::llm {

void put_turns_in_order(Conversation& conversation);

}  // namespace fuseboard::llm
