// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as a request at every endpoint, as an error, as an answer and as a stream event. Checked are the promises
// of request.h: what is accepted can be spliced and read again, and everything outside the model stays as it was.

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/core/check.h"
#include "json/scan.h"
#include "llm/answer.h"
#include "llm/errors.h"
#include "llm/request.h"
#include "llm/request_change.h"
#include "llm/stream_reader.h"

namespace {

using namespace fuseboard;

void splice_there_and_back(llm::Endpoint endpoint, std::string_view body) {
  const auto facts = llm::parse_request(endpoint, body);
  if (!facts) {
    check_invariant(!json::validate(llm::error_body(llm::Dialect::anthropic, facts.error())),
                    "a refusal is valid JSON");
    return;
  }
  const std::string changed = llm::with_model(body, *facts, "another \"model\"");
  const auto again = llm::parse_request(endpoint, changed);
  check_invariant(again && again->model == "another \"model\"", "a spliced request is read again");
  check_invariant(
      again->stream == facts->stream && again->bound_by == facts->bound_by && again->continuable == facts->continuable,
      "splicing changes the model alone");
  const std::string_view literal = body.substr(facts->model_begin, facts->model_end - facts->model_begin);
  std::string restored = changed.substr(0, again->model_begin);
  restored.append(literal).append(changed.substr(again->model_end));
  check_invariant(restored == body, "splicing leaves every other byte");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto endpoint : {llm::Endpoint::chat_completions, llm::Endpoint::responses, llm::Endpoint::embeddings,
                              llm::Endpoint::messages, llm::Endpoint::count_tokens, llm::Endpoint::other}) {
    splice_there_and_back(endpoint, text);
  }
  check_invariant(!json::validate(llm::translate_error(llm::Dialect::openai, 500, text)), "an error is valid JSON");
  check_invariant(!json::validate(llm::translate_error(llm::Dialect::anthropic, 200, text)), "an error is valid JSON");
  llm::judge_answer(llm::Endpoint::chat_completions, 200, "application/json", text, {});
  const auto failed = llm::judge_answer(llm::Endpoint::chat_completions, 500, "application/json", text, {});
  check_invariant(failed.failure.has_value(), "a 500 is a failure");
  const auto reader = llm::make_stream_reader(llm::Endpoint::chat_completions);
  const bool is_malformed = reader->read({}, text) == llm::StreamPiece::malformed;
  check_invariant(!is_malformed || reader->at_end().has_value(), "a malformed event is a failure");
  return 0;
}
