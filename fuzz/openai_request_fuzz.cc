// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as a chat-completions request, as an answer and as a stream event. Checked are the promises of request.h:
// what is accepted can be spliced and read again, and everything outside the model stays as it was.

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/core/check.h"
#include "llm/answer.h"
#include "llm/errors.h"
#include "llm/json_scan.h"
#include "llm/request.h"
#include "llm/stream.h"

namespace {

using namespace fuseboard;

void splice_there_and_back(std::string_view body) {
  const auto request = llm::parse_chat_request(body);
  if (!request) {
    check_invariant(!llm::validate_json(llm::openai_error_body(request.error())), "a refusal is valid JSON");
    return;
  }
  const std::string changed = llm::with_model(body, *request, "another \"model\"");
  const auto again = llm::parse_chat_request(changed);
  check_invariant(again && again->model == "another \"model\"", "a spliced request is read again");
  check_invariant(again->stream == request->stream, "splicing changes the model alone");
  const std::string_view literal = body.substr(request->model_begin, request->model_end - request->model_begin);
  std::string restored = changed.substr(0, again->model_begin);
  restored.append(literal).append(changed.substr(again->model_end));
  check_invariant(restored == body, "splicing leaves every other byte");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  splice_there_and_back(text);
  llm::judge_chat_answer(200, "application/json", text, {});
  const auto failed = llm::judge_chat_answer(500, "application/json", text, {});
  check_invariant(failed.failure.has_value(), "a 500 is a failure");
  llm::ChatStreamReader reader;
  const bool is_malformed = reader.read(text) == llm::StreamPiece::malformed;
  check_invariant(!is_malformed || reader.at_end().has_value(), "a malformed event is a failure");
  return 0;
}
