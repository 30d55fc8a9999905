// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which options a key gets: those of its exact name, then of the first glob that matches, then the default [BRK-17].
#pragma once

#include <memory>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/key_rules.h"

namespace fuseboard {

// Immutable.
class BreakerRegistry::Rules {
 public:
  explicit Rules(const BreakerRegistryOptions& options);

  const std::shared_ptr<const BreakerOptions>& options_for(const KeyView& key) const { return options_.of(key); }
  std::size_t max_keys() const noexcept { return max_keys_; }

 private:
  const std::size_t max_keys_;
  KeyRules<std::shared_ptr<const BreakerOptions>> options_;
};

}  // namespace fuseboard
