// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The words of the dialects for why an answer ended.
#pragma once

#include <string_view>

#include "llm/delta.h"
#include "llm/dialect.h"

namespace fuseboard::llm {

// `other` for a word that is not known, the empty one included.
FinishReason finish_reason(Dialect dialect, std::string_view word) noexcept;

// What a dialect has no word for becomes its nearest one; `other` becomes the plain end. An answer with a tool call in
// it that ended plainly ended for its tool calls: some providers do not say so, and agents look for it.
std::string_view finish_word(Dialect dialect, FinishReason reason, bool has_tool_calls) noexcept;

// Whether a word, of whatever endpoint, says that the provider's safety system withheld the answer.
bool says_filtered(std::string_view word) noexcept;

}  // namespace fuseboard::llm
