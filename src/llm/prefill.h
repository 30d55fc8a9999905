// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The request for the recovery of an answer that broke off: as it was, with the part that was delivered as the
// beginning of the assistant's message. Only for requests that are `continuable` (request.h), and models that take a
// begun answer. How the gateway uses it: gateway/stream_recovery.h.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "llm/dialect.h"
#include "llm/request.h"

namespace fuseboard::llm {

// As much of `partial` as a prefill may say: Anthropic takes no whitespace at the end of a begun answer. The answer
// goes on behind this text, so what was delivered beyond it is to be taken off the front of what comes.
std::string_view prefill_text(Dialect dialect, std::string_view partial) noexcept;

// `body`, a request at chat_endpoint(dialect), with prefill_text(partial) as a closing message of the assistant; if the
// conversation ends with one, the text is joined to it. Every other byte stays; nothing changes where there is no text.
// An error for what is no such request, and where the conversation ends with a tool call. Thread-safe; linear.
std::expected<std::string, RequestError> with_prefill(Dialect dialect, std::string_view body, std::string_view partial);

// `body`, a valid JSON object, with its caps on output (`max_tokens`, `max_completion_tokens`) lowered by what was said
// already, to 1 at the least. Every other byte stays.
std::string with_lower_cap(std::string_view body, std::uint64_t said_tokens);

}  // namespace fuseboard::llm
