// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/registry_rules.h"

#include <set>
#include <tuple>

#include "breaker/glob.h"

namespace fuseboard {
namespace {

constexpr std::size_t kMostKeys = 1'000'000;
constexpr std::size_t kMostGlobs = 1000;

}  // namespace

Problems BreakerRegistryOptions::validate() const {
  Validator validator;
  validator.merge("defaults", defaults.validate());
  std::set<std::tuple<bool, std::string_view, std::string_view>> seen;
  for (const ForKey& rule : keys) {
    const KeyView key = rule.key.view();
    const std::string field = "keys." + to_text(key);
    validator.merge(field, rule.options.validate());
    validator.require(seen.emplace(key.is_pair(), key.first(), key.second()).second, field, "named twice", "one entry");
  }
  for (const ForGlob& rule : globs) validator.merge("globs." + to_text(rule.pattern.view()), rule.options.validate());
  validator.in_range("globs", globs.size(), std::size_t{0}, kMostGlobs);
  validator.in_range("max_keys", max_keys, std::size_t{1}, kMostKeys);
  return std::move(validator).take();
}

BreakerRegistry::Rules::Rules(const BreakerRegistryOptions& options)
    : max_keys_(options.max_keys), defaults_(std::make_shared<const BreakerOptions>(options.defaults)) {
  for (const BreakerRegistryOptions::ForKey& rule : options.keys) {
    keys_.push_back(std::make_unique<KeyRule>(rule.key, std::make_shared<const BreakerOptions>(rule.options)));
    index_.insert(*keys_.back(), hash(keys_.back()->key()));
  }
  for (const BreakerRegistryOptions::ForGlob& rule : options.globs) {
    globs_.emplace_back(rule.pattern, std::make_shared<const BreakerOptions>(rule.options));
  }
}

std::shared_ptr<const BreakerOptions> BreakerRegistry::Rules::options_for(const KeyView& key) const {
  if (const KeyRule* const exact = index_.find(key, hash(key))) return exact->options;
  for (const KeyRule& glob : globs_) {
    if (glob_matches(glob.key(), key)) return glob.options;
  }
  return defaults_;
}

}  // namespace fuseboard
