// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What whole answers and stream events have in common. Included by sources of this module alone.
#pragma once

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"
#include "json/document.h"
#include "llm/answer.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// Model names and finish reasons are short; what is longer is cut.
inline constexpr std::size_t kMaxNameBytes = 256;

// What usage objects say, in the words of all providers. The events of one stream may each tell a part.
class UsageCounts {
 public:
  // More tokens than any model reads or writes in one call: a number above it cannot be read [BUD-10].
  static constexpr std::uint64_t kMaxTokens = 1'000'000'000;

  // Takes over what a usage object says; false for anything else, null included.
  bool update(const json::Value& value);
  Usage usage() const noexcept;

 private:
  // A number, as it was told last.
  struct Count {
    std::uint64_t tokens = 0;
    bool told = false;
    bool unreadable = false;  // something was told, and it is no count of tokens

    void read(const json::Value& value) noexcept;
  };

  Count prompt_{};  // includes what was cached
  Count input_{};   // Anthropic: without what was cached; the Responses API: with it
  Count completion_{};
  Count total_{};
  Count cached_{};  // part of prompt_ or of the Responses API's input_
  Count reasoning_{};
  Count cache_read_{};      // Anthropic, beside input_
  Count cache_creation_{};  // likewise
  Count cache_written_{};   // OpenRouter, part of prompt_
};

// Reads a usage object; nullopt for anything else, null included.
std::optional<Usage> read_usage(const json::Value& value);

// Whether a member of a `message` or a `delta` with this name is what a reader of the answer is after.
bool is_content_field(std::string_view name);

// Whether a top-level member says that the whole text is an error: a filled `error`, `"object":"error"` or
// `"type":"error"`.
bool marks_error(std::string_view name, const json::Value& value);

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
