// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/registry_rules.h"

namespace fuseboard {

Problems BreakerRegistryOptions::validate() const {
  Validator validator;
  validator.merge("defaults", defaults.validate());
  validate_key_rules(validator, "keys", keys, &ForKey::key);
  validate_named_once(validator, "keys", keys, &ForKey::key);
  validate_key_rules(validator, "globs", globs, &ForGlob::pattern);
  validator.in_range("globs", globs.size(), std::size_t{0}, kMaxGlobs);
  validator.in_range("max_keys", max_keys, std::size_t{1}, kMaxKeys);
  return std::move(validator).take();
}

BreakerRegistry::Rules::Rules(const BreakerRegistryOptions& options)
    : max_keys_(options.max_keys), options_(std::make_shared<const BreakerOptions>(options.defaults)) {
  for (const BreakerRegistryOptions::ForKey& rule : options.keys) {
    options_.add_key(rule.key.view(), std::make_shared<const BreakerOptions>(rule.options));
  }
  for (const BreakerRegistryOptions::ForGlob& rule : options.globs) {
    options_.add_glob(rule.pattern.view(), std::make_shared<const BreakerOptions>(rule.options));
  }
}

}  // namespace fuseboard
