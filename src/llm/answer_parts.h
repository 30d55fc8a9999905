// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What whole answers and stream events have in common. Included by sources of this module alone.
#pragma once

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"
#include "llm/answer.h"
#include "llm/json_reader.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// Model names and finish reasons are short; what is longer is cut.
inline constexpr std::size_t kMostNameBytes = 256;

// What usage objects say, in the words of all providers. The events of one stream may each tell a part.
class UsageCounts {
 public:
  // Takes over what a usage object says; false for anything else, null included.
  bool update(const JsonValue& value);
  Usage usage() const noexcept;

 private:
  std::optional<std::uint64_t> prompt_{};  // includes what was cached
  std::uint64_t input_ = 0;                // Anthropic: without what was cached; the Responses API: with it
  std::uint64_t completion_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t cached_ = 0;  // part of prompt_ or of the Responses API's input_
  std::uint64_t reasoning_ = 0;
  std::optional<std::uint64_t> cache_read_{};      // Anthropic, beside input_
  std::optional<std::uint64_t> cache_creation_{};  // likewise
  std::uint64_t cache_written_ = 0;                // OpenRouter, part of prompt_
  bool known_ = false;
};

// Reads a usage object; nullopt for anything else, null included.
std::optional<Usage> read_usage(const JsonValue& value);

// Whether a member of a `message` or a `delta` with this name is what a reader of the answer is after.
bool is_content_field(std::string_view name);

// Whether a top-level member says that the whole text is an error: a filled `error`, `"object":"error"` or
// `"type":"error"`.
bool marks_error(std::string_view name, const JsonValue& value);

// What an error body says about itself, in the shapes that providers use:
//   {"error":{"message","type","code"}}                       OpenAI, Anthropic, Groq, OpenRouter, ...
//   {"error":"text","code":"..."}  {"error":"text","error_type":"..."}  Ollama, xAI, Text Generation Inference
//   {"detail":"text"}  {"detail":[{"msg":"text"}]}             FastAPI
//   {"message":"text","type":"...","code":"..."}               Mistral, the Responses API inside a stream
//   {"choices":[{"error":{"message","code"}}]}                 OpenRouter
//   {"response":{"error":{"message","code"}}}                  the Responses API, response.failed
//   [ one of these ]                                           Gemini
// `text` must be valid JSON. Empty if it has none of these shapes.
ErrorDetails read_error(std::string_view text);

Failure classify(int status, const ErrorDetails& error, const RetryHints& hints);

}  // namespace fuseboard::llm
