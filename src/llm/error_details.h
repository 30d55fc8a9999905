// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What errors say of themselves, whole or inside a stream. Included by sources of this module alone.
#pragma once

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"
#include "json/document.h"
#include "llm/answer.h"

namespace fuseboard::llm {

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
