// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as a request in either dialect, said in the other. What comes of it is a valid request; said back and there
// again it is the same.

#include <cstdint>
#include <string>
#include <string_view>

#include "fuseboard/core/check.h"
#include "json/canonical.h"
#include "json/scan.h"
#include "llm/errors.h"
#include "llm/prefill.h"
#include "llm/request.h"
#include "llm/translate_request.h"

namespace {

using namespace fuseboard;
using llm::Dialect;

constexpr Dialect other(Dialect dialect) { return dialect == Dialect::openai ? Dialect::anthropic : Dialect::openai; }

void check_request(Dialect dialect, const std::string& body) {
  check_invariant(!json::validate(body), "a translated request is valid JSON");
  const auto facts = llm::parse_request(llm::chat_endpoint(dialect), body);
  check_invariant(facts && facts->model == "m", "a translated request is a request to the model");
}

// Whether they mean the same; what has no canonical form means anything.
bool same(const std::string& a, const std::string& b) {
  const auto canonical = json::canonical_form(a);
  return !canonical || *canonical == json::canonical_form(b).value_or("");
}

// Whether a request to OpenAI has a system message among the others. On the way back it joins those at the front.
bool has_system_amidst(std::string_view openai) {
  constexpr std::string_view kMessages = R"("messages":[)";
  const auto first = openai.find(kMessages);
  const auto last = openai.rfind(R"({"role":"system")");
  return last != openai.npos && last > first + kMessages.size();
}

void there_and_back(Dialect from, std::string_view body, const llm::TranslationOptions& options) {
  const Dialect to = other(from);
  const auto there = llm::translate_request(from, to, body, options);
  if (!there) {
    check_invariant(!json::validate(llm::error_body(from, there.error())), "a refusal is valid JSON");
    return;
  }
  check_request(to, *there);
  if (options.reasoning != llm::Reasoning::leave_out) return;  // what a thinking budget rules out is lost
  const auto back = llm::translate_request(to, from, *there, options);
  if (!back) {  // Anthropic takes more stop sequences than OpenAI
    check_invariant(back.error().param.starts_with("stop_sequences["), "what is said in one dialect is said back");
    return;
  }
  check_request(from, *back);
  const auto again = llm::translate_request(from, to, *back, options);
  check_invariant(again.has_value(), "what is said back is said again");
  if (to == Dialect::openai && has_system_amidst(*there)) {
    const auto second = llm::translate_request(to, from, *again, options);
    check_invariant(second && same(*back, *second), "with its system messages at the front it stays as it is");
  } else {
    check_invariant(same(*there, *again), "what is said back is said again as before");
  }
}

void go_on(Dialect dialect, std::string_view body) {
  const auto begun = llm::with_prefill(dialect, body, "One \"two\" ");
  if (!begun) return;
  check_invariant(!json::validate(*begun), "a request with a begun answer is valid JSON");
  check_invariant(llm::with_prefill(dialect, *begun, "three").has_value(), "a begun answer is gone on with");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const Dialect from : {Dialect::openai, Dialect::anthropic}) {
    go_on(from, body);
    for (const auto reasoning : {llm::Reasoning::leave_out, llm::Reasoning::budget, llm::Reasoning::effort}) {
      for (const bool drops : {false, true}) {
        there_and_back(from, body, {.model = "m", .drop_unsupported = drops, .reasoning = reasoning});
      }
    }
  }
  return 0;
}
