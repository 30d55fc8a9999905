// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reads failures on stdin and says what they mean.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/diagnostics.h"
#include "config/load.h"
#include "fuseboard/classify/advice.h"
#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/user_rules.h"

namespace fuseboard::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string_view text(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

std::optional<std::int64_t> integer(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<std::int64_t>();
}

// A field that is there and not of its type; empty where there is none. null says nothing, as a missing field.
std::string mistyped_field(const Json& json) {
  const auto is_given = [&](const char* key) { return json.contains(key) && !json[key].is_null(); };
  for (const char* key : {"channel", "domain", "body", "message", "typed_code", "signal"}) {
    if (is_given(key) && !json[key].is_string()) return fmt::format("{} must be a string", key);
  }
  for (const char* key : {"status", "exit_code", "now_unix_ms"}) {
    if (is_given(key) && !json[key].is_number_integer()) return fmt::format("{} must be a whole number", key);
  }
  if (!is_given("headers")) return {};
  const auto is_text = [](const Json& value) { return value.is_string(); };
  if (json["headers"].is_object() && std::ranges::all_of(json["headers"], is_text)) return {};
  return "headers must be an object of strings, by the headers' names";
}

// What is wrong with a case, or empty.
std::string problem_of(const Json& json) {
  if (!json.is_object()) return "a case is a JSON object";
  if (std::string problem = mistyped_field(json); !problem.empty()) return problem;
  if (!channel_from_name(text(json, "channel"))) {
    return "channel must be one of http, sse, transport, mcp, process, message";
  }
  const auto domain = json.find("domain");
  if (domain != json.end() && !domain_from_name(text(json, "domain"))) return "domain must be llm or tool";
  return {};
}

// The fields of docs/classification.md; views into `json` and `headers`.
CallEvidence evidence_of(const Json& json, std::vector<HeaderField>& headers) {
  CallEvidence evidence{
      .channel = *channel_from_name(text(json, "channel")),
      .domain = domain_from_name(text(json, "domain")).value_or(Domain::llm),
      .status = static_cast<int>(std::clamp<std::int64_t>(integer(json, "status").value_or(0), 0, 999)),
      .body = text(json, "body"),
      .message = text(json, "message"),
      .typed_code = text(json, "typed_code"),
      .signal = text(json, "signal")};
  if (const auto code = integer(json, "exit_code")) {
    evidence.exit_code = static_cast<int>(std::clamp<std::int64_t>(*code, -1, 255));
  }
  if (const auto now = integer(json, "now_unix_ms")) {
    constexpr std::int64_t kFarthest = 9'000'000'000'000;  // fits the clock's nanoseconds
    const std::chrono::milliseconds ms(std::clamp<std::int64_t>(*now, 0, kFarthest));
    evidence.now = WallTime(ms);
  }
  const auto found = json.find("headers");
  if (found != json.end() && found->is_object()) {
    for (const auto& [name, value] : found->items()) {
      if (value.is_string()) headers.push_back({name, value.get_ref<const std::string&>()});
    }
  }
  evidence.headers = headers;
  return evidence;
}

Json explanation_of(const Classification& judged) {
  const Advice advice = advice_for(judged);
  Json suggestions = Json::array();
  for (const RecoverySuggestion suggestion : advice.suggestions) {
    suggestions.push_back({{"do", name(suggestion)}, {"text", text(suggestion)}});
  }
  Json rule = {{"kind", judged.rule.kind}};
  if (!judged.rule.text.empty()) rule["text"] = judged.rule.text;
  if (judged.rule.number != 0) rule["number"] = judged.rule.number;
  rule["source"] = judged.rule.source;
  return {{"rule", std::move(rule)}, {"modifier", name(judged.modifier)},   {"detail", name(judged.detail)},
          {"label", advice.label},   {"needs_person", advice.needs_person}, {"suggestions", std::move(suggestions)}};
}

Json verdict_of(const Json& json, const Classification& judged, bool explain) {
  Json out = Json::object();
  if (json.contains("id")) out["id"] = json["id"];
  const Failure failure = judged.failure.value_or(Failure{});
  out["category"] = judged.failure ? name(failure.category) : std::string_view("none");
  out["retryable"] = judged.failure && failure.retryable;
  out["trips_breaker"] = judged.failure && trips_breaker(failure);
  out["fallback"] = judged.failure && failure.fallback;
  out["retry_after_ms"] = nullptr;
  if (failure.retry_after) {
    out["retry_after_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*failure.retry_after).count();
  }
  if (explain) out.update(explanation_of(judged));
  return out;
}

// False where the text is no case.
bool answer(std::string_view line, const UserRules& rules, bool explain) {
  const Json json = Json::parse(line, nullptr, false);
  std::string problem = json.is_discarded() ? "not JSON" : problem_of(json);
  Json out;
  if (problem.empty()) {
    std::vector<HeaderField> headers;
    out = verdict_of(json, classify(evidence_of(json, headers), rules), explain);
  } else {
    if (json.is_object() && json.contains("id")) out["id"] = json["id"];
    out["error"] = std::move(problem);
  }
  fmt::print("{}\n", out.dump(-1, ' ', true, Json::error_handler_t::replace));
  return !out.contains("error");
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == std::string_view::npos; }

}  // namespace

int classify(const ClassifyArguments& arguments) {
  UserRules rules;
  if (arguments.config) {
    const config::Loaded loaded = config::load_file(*arguments.config, config::process_environment());
    print_diagnostics(loaded);
    if (!loaded.config) return kWrong;
    rules = loaded.config->classify_rules;
  }
  if (!arguments.jsonl) {
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    return answer(input, rules, arguments.explain) ? kDone : kWrong;
  }
  for (std::string line; std::getline(std::cin, line);) {
    if (!is_blank(line)) answer(line, rules, arguments.explain);
  }
  return kDone;
}

}  // namespace fuseboard::cli
