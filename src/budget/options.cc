// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/options.h"

#include <limits>
#include <set>
#include <string_view>

namespace fuseboard {
namespace {

constexpr std::uint64_t kMaxUnits = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxSessions = 1'000'000;

}  // namespace

Problems BudgetCaps::validate() const {
  Validator validator;
  if (tokens) validator.in_range<std::uint64_t>("tokens", *tokens, 1, kMaxUnits);
  if (rounds) validator.in_range<std::uint64_t>("rounds", *rounds, 1, kMaxUnits);
  return std::move(validator).take();
}

Problems BudgetOptions::validate() const {
  Validator validator;
  validator.merge("global", global.validate());
  std::set<std::string_view> seen;
  for (const ForKey& entry : keys) {
    const std::string field = "keys." + entry.key;
    validator.merge(field, entry.caps.validate());
    validator.require(!entry.key.empty(), field, "an empty name", "a name");
    validator.require(seen.insert(entry.key).second, field, "named twice", "one entry");
  }
  validator.merge("session", session.validate());
  validator.in_range("max_sessions", max_sessions, std::size_t{1}, kMaxSessions);
  validator.in_range("max_sessions_per_key", max_sessions_per_key, std::size_t{1}, kMaxSessions);
  return std::move(validator).take();
}

}  // namespace fuseboard
