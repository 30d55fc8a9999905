// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Cases of tests/classify/fixtures: one JSON object a line, what was seen and what it should mean.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuseboard/classify/classifier.h"
#include "tests/classify/fixture_json.h"

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
  fixture_json::Value json;
  std::string id;
  Expected expected;
  std::vector<HeaderField> headers;
  CallEvidence evidence;
};

// The fields that are meant for people (source, provider, note, adversarial, modifiers) are not looked at.
inline void read_evidence(Case& it) {
  const fixture_json::Value& json = it.json;
  it.evidence = {.channel = channel_from_name(json.text("channel")).value(),
                 .domain = domain_from_name(json.text("domain")).value(),
                 .body = json.text("body"),
                 .message = json.text("message"),
                 .typed_code = json.text("typed_code"),
                 .signal = json.text("signal")};
  if (const double* const status = json.number("status")) it.evidence.status = static_cast<int>(*status);
  if (const double* const code = json.number("exit_code")) it.evidence.exit_code = static_cast<int>(*code);
  if (const double* const now = json.number("now_unix_ms")) {
    it.evidence.now = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(*now)));
  }
  if (const fixture_json::Value* const headers = json.find("headers")) {
    for (const auto& [name, value] : std::get<fixture_json::Value::Object>(headers->it)) {
      it.headers.push_back({name, std::get<std::string>(value.it)});
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
    it->json = fixture_json::Reader(line).read();
    it->id = it->json.text("id");
    const fixture_json::Value& expect = *it->json.find("expect");
    it->expected = {.category = std::string(expect.text("category")),
                    .retryable = expect.flag("retryable"),
                    .trips_breaker = expect.flag("trips_breaker"),
                    .fallback = expect.flag("fallback")};
    if (const double* const wait = expect.number("retry_after_ms")) {
      it->expected.retry_after_ms = static_cast<std::int64_t>(*wait);
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
