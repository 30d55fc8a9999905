// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Settings by key: those of its exact name, else of the first pattern that matches, else the default [BRK-17].
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "fuseboard/core/glob.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_index.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

inline constexpr std::size_t kMaxKeys = 1'000'000;  // that anything holds
inline constexpr std::size_t kMaxGlobs = 1000;

// The problems of rules that have `options`: each is named by its key or pattern, as in "keys.fs__read.probe_lease".
template <typename Rule>
void validate_key_rules(Validator& validator, std::string_view field, const std::vector<Rule>& rules,
                        Key Rule::* name) {
  for (const Rule& rule : rules) {
    validator.merge(std::string(field) + "." + to_text((rule.*name).view()), rule.options.validate());
  }
}
// No key may be named twice.
template <typename Rule>
void validate_named_once(Validator& validator, std::string_view field, const std::vector<Rule>& rules,
                         Key Rule::* name) {
  std::set<std::tuple<bool, std::string_view, std::string_view>> seen;
  for (const Rule& rule : rules) {
    const KeyView key = (rule.*name).view();
    const bool first = seen.emplace(key.is_pair(), key.first(), key.second()).second;
    validator.require(first, std::string(field) + "." + to_text(key), "named twice", "one entry");
  }
}

// Set up once, then read from any thread. An exact name costs a hash, every pattern before the one that matches a
// comparison.
template <typename Value>
class KeyRules {
 public:
  explicit KeyRules(Value defaults) : defaults_(std::move(defaults)) {}

  // A key may be named once.
  void add_key(const KeyView& key, Value value) {
    index_.reserve_one();
    keys_.push_back(std::make_unique<Rule>(Key(key), std::move(value)));
    index_.insert(*keys_.back(), hash(key));
  }
  // Patterns are tried in the order in which they came; see glob_matches().
  void add_glob(const KeyView& pattern, Value value) { globs_.emplace_back(Key(pattern), std::move(value)); }

  const Value& of(const KeyView& key) const {
    if (const Rule* const exact = index_.find(key, hash(key))) return exact->value;
    for (const Rule& glob : globs_) {
      if (glob_matches(glob.key(), key)) return glob.value;
    }
    return defaults_;
  }

 private:
  struct Rule {
    Rule(Key rule_name, Value rule_value) : name(std::move(rule_name)), value(std::move(rule_value)) {}
    KeyView key() const noexcept { return name.view(); }
    Key name;
    Value value;
  };

  const Value defaults_;
  std::vector<std::unique_ptr<Rule>> keys_;
  KeyIndex<Rule> index_;
  std::vector<Rule> globs_;
};

}  // namespace fuseboard
