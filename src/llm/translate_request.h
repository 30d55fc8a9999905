// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A conversation's request said in the other dialect: chat completions (OpenAI) and messages (Anthropic).
//
// What both can say is carried: text, images, PDF files, tools, their calls and results, system prompts, stop words,
// sampling, caps, the schema of the answer, how much to reason. What means nothing (null, a default) and what is a mere
// hint (cache_control, prompt_cache_key, an image's detail, a name for the answer's schema) is left out. The rest is
// either refused, naming the field, or dropped.
//
// What changes on the way:
//   system     System and developer messages are one text before the conversation, joined by an empty line. To OpenAI,
//              those in the midst of it keep their place.
//   turns      They are merged, left out and put in order, tool results first, by the rules of turn_order.h.
//   tools      An `is_error` is said in the text, an image in a result follows in the user's message. Ids get `_` for
//              characters that Anthropic does not take.
//   thoughts   Blocks of thinking in the history are dropped: they are the private state of the model that had them.
//   reasoning  See Reasoning.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "llm/dialect.h"
#include "llm/request.h"

namespace fuseboard::llm {

// How OpenAI's `reasoning_effort` is said to a model of Anthropic's. Which one a model knows depends on its generation.
// The other way round, `output_config.effort` is the effort (max: xhigh), else a thinking budget asks for the highest
// effort that it allows: low from 1024 tokens, medium from 8192, high from 24576.
enum class Reasoning : std::uint8_t {
  leave_out,  // in both directions
  // As `thinking` with that many tokens, the highest that is below the cap on output; minimal is low, xhigh is high.
  // Where the caller sets no cap, they come on top of the default. Left out where Anthropic takes no thinking: with a
  // temperature or top_p other than 1, a forced tool, a begun answer, and when the turn goes on after a tool call,
  // whose thoughts the caller cannot have.
  budget,
  // As `output_config.effort`, with adaptive thinking where the rest of the request allows it; minimal is low.
  effort,
};

struct TranslationOptions {
  std::string_view model;                   // the name at the target
  std::uint64_t default_max_tokens = 4096;  // Anthropic must be told a cap
  bool drop_unsupported = false;            // drop instead of refuse
  bool legacy_max_tokens = false;           // to OpenAI: the cap as `max_tokens`, for servers that know no other
  Reasoning reasoning = Reasoning::budget;
  bool ask_usage = true;  // to OpenAI, of a streamed answer
};

// `body` is a request at chat_endpoint(from); the result is one at chat_endpoint(to), without needless whitespace. A
// streamed one to OpenAI asks for the usage unless told otherwise. Errors have code "unsupported_parameter" for what
// cannot be carried, and others for what is no request at all. Thread-safe; linear; about 10 µs for 2 KB.
std::expected<std::string, RequestError> translate_request(Dialect from, Dialect to, std::string_view body,
                                                           const TranslationOptions& options);

}  // namespace fuseboard::llm
