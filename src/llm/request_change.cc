// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request_change.h"

#include "json/scan.h"
#include "json/string.h"
#include "llm/request_parts.h"

namespace fuseboard::llm {
namespace {

// What `stream_options` say, and that usage is wanted.
std::string asking_options(std::string_view options) {
  std::string asking = R"({"include_usage":true)";
  json::validate_object(options, [&](const json::Member& member) {
    if (decoded_literal(member.name) == "include_usage") return;
    asking.append(",").append(member.name).append(":").append(member.value);
  });
  return asking += '}';
}

}  // namespace

Replacement replace_model(const RequestFacts& facts, std::string_view model) {
  return {.begin = facts.model_begin, .end = facts.model_end, .text = json::string_literal(model)};
}

Replacement replace_model_and_ask_usage(std::string_view body, const RequestFacts& facts, std::string_view model) {
  const auto between = [&](std::size_t begin, std::size_t end) { return body.substr(begin, end - begin); };
  Replacement change = replace_model(facts, model);
  if (facts.options_end == 0) {
    change.text += R"(,"stream_options":)" + asking_options("null");
    return change;
  }
  const std::string options = asking_options(between(facts.options_begin, facts.options_end));
  if (facts.options_begin > facts.model_begin) {
    change.text.append(between(facts.model_end, facts.options_begin)).append(options);
    change.end = facts.options_end;
  } else {
    change.text = options + std::string(between(facts.options_end, facts.model_begin)) + change.text;
    change.begin = facts.options_begin;
  }
  return change;
}

std::string with_model(std::string_view body, const RequestFacts& facts, std::string_view model) {
  const Replacement change = replace_model(facts, model);
  std::string changed;
  changed.reserve(body.size() + change.text.size());
  return changed.append(body.substr(0, change.begin)).append(change.text).append(body.substr(change.end));
}

}  // namespace fuseboard::llm
