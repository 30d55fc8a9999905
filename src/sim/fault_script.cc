// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/fault_script.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>

#include "sim/behaviour.h"
#include "sim/json_text.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::size_t kMaxText = 1U << 20U;
constexpr std::size_t kMaxPhases = 1000;
constexpr std::size_t kMaxFaults = 32;
constexpr std::size_t kMaxPattern = 200;

// A value as a problem shows it: short, whatever was given.
std::string shown(const json& value) {
  std::string text = json_text(value);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

// Walks one object: reads the known keys and reports the unknown ones.
class Fields {
 public:
  // `allowed` also names the keys; a value that is no object is itself a problem and has no fields.
  Fields(const json& value, std::string path, std::string_view keys, Validator& problems)
      : path_(std::move(path)), problems_(problems) {
    if (!value.is_object()) {
      problems_.add(path_, shown(value), fmt::format("an object of: {}", keys));
      return;
    }
    object_ = &value;
    for (const auto& [key, entry] : value.items()) {
      if (!lists(keys, key)) problems_.add(name(key), shown(entry), fmt::format("one of the fields: {}", keys));
    }
  }

  bool ok() const { return object_ != nullptr; }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  const json* find(std::string_view key) const {
    if (object_ == nullptr) return nullptr;
    const auto it = object_->find(key);
    return it == object_->end() ? nullptr : &*it;
  }
  std::string name(std::string_view key) const {
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  }
  void bad(std::string_view key, std::string_view allowed) const {
    const json* value = find(key);
    problems_.add(name(key), value == nullptr ? "nothing" : shown(*value), std::string(allowed));
  }

  std::optional<Duration> duration(std::string_view key, Duration low, Duration high) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) {
      const auto read = parse_duration(value->get_ref<const std::string&>());
      if (read && *read >= low && *read <= high) return read;
    }
    bad(key, fmt::format("a duration such as \"250ms\", {} to {}", to_text(low), to_text(high)));
    return std::nullopt;
  }

  std::optional<std::uint64_t> count(std::string_view key, std::uint64_t low, std::uint64_t high) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_unsigned()) {
      const auto read = value->get<std::uint64_t>();
      if (read >= low && read <= high) return read;
    }
    bad(key, fmt::format("{} to {}", low, high));
    return std::nullopt;
  }

  std::optional<std::string> text(std::string_view key, std::string_view allowed) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_string() && !value->get_ref<const std::string&>().empty() &&
        value->get_ref<const std::string&>().size() <= kMaxPattern) {
      return value->get<std::string>();
    }
    bad(key, allowed);
    return std::nullopt;
  }

 private:
  static bool lists(std::string_view keys, std::string_view key) {
    while (!keys.empty()) {
      const std::size_t comma = keys.find(", ");
      if (keys.substr(0, comma) == key) return true;
      keys = comma == keys.npos ? std::string_view() : keys.substr(comma + 2);
    }
    return false;
  }

  const json* object_ = nullptr;
  std::string path_;
  Validator& problems_;
};

struct KindRow {
  std::string_view name;
  FaultKind kind;
  std::string_view fields;
};
constexpr std::array<KindRow, 7> kKinds = {{
    {"status", FaultKind::kStatus, "kind, rate, status, retry_after"},
    {"latency", FaultKind::kLatency, "kind, rate, p50, p99"},
    {"reset", FaultKind::kReset, "kind, rate"},
    {"silence", FaultKind::kSilence, "kind, rate"},
    {"stall", FaultKind::kStall, "kind, rate, after_tokens"},
    {"stream_cut", FaultKind::kStreamCut, "kind, rate, after_tokens"},
    {"behaviour", FaultKind::kBehaviour, "kind, rate, name"},
}};

void read_rate(const Fields& fields, Fault& fault) {
  const json* rate = fields.find("rate");
  if (rate == nullptr) return;
  if (rate->is_number() && rate->get<double>() >= 0.0 && rate->get<double>() <= 1.0) {
    fault.rate = rate->get<double>();
  } else {
    fields.bad("rate", "0 to 1");
  }
}

void read_latency(const Fields& fields, Fault& fault) {
  const auto p50 = fields.duration("p50", 1us, 10min);
  const auto p99 = fields.duration("p99", 1us, 10min);
  if (!fields.has("p50")) fields.bad("p50", "a duration such as \"250ms\", 1us to 10m");
  fault.p50 = p50.value_or(Duration::zero());
  fault.p99 = p99.value_or(fault.p50);
  if (p50 && p99 && *p99 < *p50) fields.bad("p99", fmt::format("at least p50, {}", to_text(*p50)));
}

void read_behaviour(const Fields& fields, Fault& fault) {
  constexpr std::string_view kAllowed = "a name of GET /sim/models, with its parameter";
  const auto name = fields.text("name", kAllowed);
  if (!fields.has("name")) fields.bad("name", kAllowed);
  if (!name) return;
  if (!name->starts_with("sim-") || !read_model_name(*name)) return fields.bad("name", kAllowed);
  fault.behaviour = *name;
}

Fault read_fault(const json& value, const std::string& path, Validator& problems) {
  Fault fault;
  const json* kind = value.is_object() && value.contains("kind") ? &value["kind"] : nullptr;
  const KindRow* row = nullptr;
  std::string kinds;
  for (const KindRow& candidate : kKinds) {
    if (kind != nullptr && *kind == candidate.name) row = &candidate;
    kinds += kinds.empty() ? "" : ", ";
    kinds += candidate.name;
  }
  if (row == nullptr) {
    problems.add(path + ".kind", kind == nullptr ? "nothing" : shown(*kind), kinds);
    return fault;
  }
  const Fields fields(value, path, row->fields, problems);
  fault.kind = row->kind;
  read_rate(fields, fault);
  switch (fault.kind) {
    case FaultKind::kStatus:
      fault.status = static_cast<int>(fields.count("status", 400, 599).value_or(503));
      fault.retry_after = fields.duration("retry_after", Duration::zero(), 24h);
      break;
    case FaultKind::kLatency:
      read_latency(fields, fault);
      break;
    case FaultKind::kStall:
    case FaultKind::kStreamCut:
      fault.after_tokens = fields.count("after_tokens", 0, 100'000).value_or(3);
      break;
    case FaultKind::kBehaviour:
      read_behaviour(fields, fault);
      break;
    case FaultKind::kReset:
    case FaultKind::kSilence:
      break;
  }
  return fault;
}

// An optional array of at most `limit` entries, each read by `read(entry, path)`.
template <typename Read>
void read_array(const Fields& fields, std::string_view key, std::size_t limit, Read read) {
  const json* array = fields.find(key);
  if (array == nullptr) return;
  if (!array->is_array() || array->size() > limit) return fields.bad(key, fmt::format("an array of at most {}", limit));
  for (std::size_t i = 0; i < array->size(); ++i) read((*array)[i], fmt::format("{}[{}]", fields.name(key), i));
}

Phase read_phase(const json& value, const std::string& path, Validator& problems) {
  Phase phase;
  const Fields fields(value, path, "for, requests, match, faults", problems);
  if (!fields.ok()) return phase;
  if (fields.has("for") == fields.has("requests")) {
    problems.add(path, fields.has("for") ? "both \"for\" and \"requests\"" : "neither \"for\" nor \"requests\"",
                 "one of them");
  }
  phase.lasts = fields.duration("for", 1ms, 24h);
  phase.requests = fields.count("requests", 1, 1'000'000'000).value_or(0);
  if (const json* match = fields.find("match")) {
    constexpr std::string_view kGlob = "a text with * and ?, 1 to 200 bytes";
    const Fields globs(*match, fields.name("match"), "model, path", problems);
    phase.model = globs.text("model", kGlob).value_or("*");
    phase.path = globs.text("path", kGlob).value_or("*");
  }
  read_array(fields, "faults", kMaxFaults, [&](const json& entry, const std::string& at) {
    phase.faults.push_back(read_fault(entry, at, problems));
  });
  return phase;
}

FaultScript read_script(const json& value, Validator& problems) {
  FaultScript script;
  const Fields fields(value, "", "seed, phases, repeat", problems);
  if (!fields.ok()) return script;
  script.seed = fields.count("seed", 0, UINT64_MAX);
  if (const json* repeat = fields.find("repeat")) {
    if (repeat->is_boolean()) {
      script.repeat = repeat->get<bool>();
    } else {
      fields.bad("repeat", "true, false");
    }
  }
  read_array(fields, "phases", kMaxPhases, [&](const json& entry, const std::string& at) {
    script.phases.push_back(read_phase(entry, at, problems));
  });
  return script;
}

}  // namespace

std::expected<FaultScript, Problems> FaultScript::parse(std::string_view text) {
  Validator problems;
  if (text.size() > kMaxText) {
    problems.add("script", fmt::format("{} bytes", text.size()), fmt::format("at most {} bytes", kMaxText));
    return std::unexpected(std::move(problems).take());
  }
  FaultScript script;
  try {
    script = read_script(json::parse(text), problems);
  } catch (const json::parse_error& error) {
    problems.add("script", fmt::format("broken at byte {}", error.byte), "JSON");
  }
  Problems found = std::move(problems).take();
  if (!found.empty()) return std::unexpected(std::move(found));
  return script;
}

FaultScript demo_faults() {
  const Fault jitter = {.kind = FaultKind::kLatency, .p50 = 60ms, .p99 = 600ms};
  const Fault hiccup = {.kind = FaultKind::kStatus, .rate = 0.03, .status = 500};
  const Fault outage = {.kind = FaultKind::kStatus, .rate = 1.0, .status = 503, .retry_after = 2s};
  FaultScript script;
  script.repeat = true;
  script.phases = {{.lasts = 15s, .path = "/v1/*", .faults = {jitter, hiccup}},
                   {.lasts = 10s, .path = "/v1/*", .faults = {outage}},
                   {.lasts = 20s, .path = "/v1/*", .faults = {jitter, hiccup}}};
  return script;
}

}  // namespace fuseboard::sim
