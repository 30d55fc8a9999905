// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which options a key gets: those of its exact name, then of the first glob that matches, then the default [BRK-17].
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fuseboard/breaker/registry.h"

namespace fuseboard {

// Immutable.
class BreakerRegistry::Rules {
 public:
  explicit Rules(const BreakerRegistryOptions& options);

  std::shared_ptr<const BreakerOptions> options_for(const KeyView& key) const;
  std::size_t max_keys() const noexcept { return max_keys_; }

 private:
  const std::size_t max_keys_;
  const std::shared_ptr<const BreakerOptions> defaults_;
  std::vector<std::unique_ptr<KeyRule>> keys_;
  KeyIndex<KeyRule> index_;
  std::vector<KeyRule> globs_;
};

}  // namespace fuseboard
