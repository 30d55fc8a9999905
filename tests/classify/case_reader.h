// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Cases of tests/classify/fixtures: one JSON object a line, what was seen and what it should mean.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuseboard/classify/classifier.h"

namespace fuseboard::classify_cases {

struct Expected {
  std::string category;  // "none": nothing failed
  bool retryable = false;
  bool trips_breaker = false;
  bool fallback = false;
  std::optional<std::int64_t> retry_after_ms{};
  friend bool operator==(const Expected&, const Expected&) = default;
};

// Owns the texts that its evidence views.
struct Case {
  nlohmann::json json;
  std::string id;
  Expected expected;
  std::vector<HeaderField> headers;
  CallEvidence evidence;
};

inline std::string_view text(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return {};
  return found->get_ref<const std::string&>();
}

// The fields that are meant for people (source, provider, note, adversarial, modifiers) are not looked at.
inline void read_evidence(Case& it) {
  const nlohmann::json& json = it.json;
  it.evidence = {.channel = channel_from_name(text(json, "channel")).value(),
                 .domain = domain_from_name(text(json, "domain")).value(),
                 .body = text(json, "body"),
                 .message = text(json, "message"),
                 .typed_code = text(json, "typed_code"),
                 .signal = text(json, "signal")};
  if (json.contains("status") && json["status"].is_number()) it.evidence.status = json["status"].get<int>();
  if (json.contains("exit_code") && json["exit_code"].is_number()) it.evidence.exit_code = json["exit_code"].get<int>();
  if (text(json, "stream_end") == "eof") it.evidence.stream_end = StreamEnd::eof;
  if (text(json, "stream_end") == "reset") it.evidence.stream_end = StreamEnd::reset;
  if (json.contains("now_unix_ms")) {
    it.evidence.now =
        std::chrono::system_clock::time_point(std::chrono::milliseconds(json["now_unix_ms"].get<std::int64_t>()));
  }
  if (json.contains("headers")) {
    for (const auto& [name, value] : json["headers"].items()) {
      it.headers.push_back({name, value.get_ref<const std::string&>()});
    }
  }
  it.evidence.headers = it.headers;
}

inline std::vector<std::unique_ptr<Case>> read_cases(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<std::unique_ptr<Case>> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    auto it = std::make_unique<Case>();
    it->json = nlohmann::json::parse(line);
    it->id = it->json["id"].get<std::string>();
    const nlohmann::json& expect = it->json["expect"];
    it->expected = {.category = expect["category"].get<std::string>(),
                    .retryable = expect["retryable"].get<bool>(),
                    .trips_breaker = expect["trips_breaker"].get<bool>(),
                    .fallback = expect["fallback"].get<bool>()};
    if (!expect["retry_after_ms"].is_null()) {
      it->expected.retry_after_ms = expect["retry_after_ms"].get<std::int64_t>();
    }
    read_evidence(*it);
    cases.push_back(std::move(it));
  }
  return cases;
}

inline Expected answer(const Classification& judged) {
  if (!judged.failure) return {.category = "none"};
  const Failure& failure = *judged.failure;
  Expected answer{.category = std::string(name(failure.category)),
                  .retryable = failure.retryable,
                  .trips_breaker = trips_breaker(failure),
                  .fallback = failure.fallback};
  if (failure.retry_after) answer.retry_after_ms = failure.retry_after->count() / 1'000'000;
  return answer;
}

inline std::string to_text(const Expected& it) {
  std::string out = it.category;
  out += it.retryable ? " R" : " -";
  out += it.trips_breaker ? "T" : "-";
  out += it.fallback ? "F" : "-";
  if (it.retry_after_ms) out += " " + std::to_string(*it.retry_after_ms) + " ms";
  return out;
}

}  // namespace fuseboard::classify_cases
