// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/classify_rules.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <utility>

namespace fuseboard::config {
namespace {

constexpr std::array<std::string_view, 1> kKeys = {"rules"};
constexpr std::array<std::string_view, 10> kRuleKeys = {
    "name", "status", "code", "phrase", "header", "header_value", "category", "retryable", "trips_breaker", "fallback"};

void read_string(const MapReader& map, std::string_view key, std::string& into) {
  const auto cursor = map.find(key);
  if (!cursor) return;
  const auto text = read_text(*cursor, "a text");
  if (!text) return;
  if (text->value.empty()) cursor->refuse("at least one character");
  into = text->value;
}

void read_flag(const MapReader& map, std::string_view key, std::optional<bool>& into) {
  if (const auto cursor = map.find(key)) into = read_bool(*cursor);
}

UserRule read_rule(const Cursor& cursor) {
  UserRule rule;
  const MapReader map(cursor, kRuleKeys);
  read_string(map, "name", rule.name);
  if (const auto status = map.find("status")) {
    const auto number = read_integer(*status);
    if (number) rule.status = static_cast<int>(std::clamp<std::int64_t>(*number, 0, std::numeric_limits<int>::max()));
  }
  read_string(map, "code", rule.body_code);
  read_string(map, "phrase", rule.phrase);
  read_string(map, "header", rule.header);
  read_string(map, "header_value", rule.header_value);
  if (const auto category = map.find("category")) rule.category = read_category(*category);
  read_flag(map, "retryable", rule.retryable);
  read_flag(map, "trips_breaker", rule.trips_breaker);
  read_flag(map, "fallback", rule.fallback);
  const auto has_one_of = [&](std::initializer_list<std::string_view> keys) {
    return std::ranges::any_of(keys, [&](std::string_view key) { return map.find(key).has_value(); });
  };
  for (const Problem& problem : rule.validate()) {
    // What stands there but cannot be read has been reported already.
    if (problem.value == "no condition" && has_one_of({"status", "code", "phrase", "header"})) continue;
    if (problem.value == "no conclusion" && has_one_of({"category", "retryable", "trips_breaker", "fallback"}))
      continue;
    const auto place = map.find(problem.field);
    if (place) {
      place->refuse(problem.allowed);
    } else {
      cursor.say(problem.value + "; it needs " + problem.allowed);
    }
  }
  return rule;
}

}  // namespace

UserRules read_classify_rules(const Cursor& cursor) {
  const MapReader map(cursor, kKeys);
  const auto list = map.find("rules");
  if (!list || !expect_kind(*list, Node::Kind::sequence, "a list of rules")) return {};
  const std::size_t count = list->node->items.size();
  if (count > UserRules::kMaxRules) {
    list->say(std::to_string(count) + " rules are not allowed; allowed: up to " + std::to_string(UserRules::kMaxRules));
    return {};
  }
  std::vector<UserRule> rules;
  for (std::size_t i = 0; i < count; ++i) rules.push_back(read_rule(list->item(i)));
  return UserRules::validate(rules).empty() ? UserRules(std::move(rules)) : UserRules();
}

}  // namespace fuseboard::config
