// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/usage_asking.h"

#include <algorithm>

namespace fuseboard::gateway {

std::shared_ptr<UsageAsking> UsageAskings::of(KeyView key) {
  const MutexLock lock(mutex_);
  if (known_.size() >= sweep_at_) {
    std::erase_if(known_, [](const auto& named) { return named.second.expired(); });
    sweep_at_ = std::max(kFirstSweep, 2 * known_.size());
  }
  auto& known = known_[to_text(key)];
  auto asking = known.lock();
  if (asking == nullptr) known = asking = std::make_shared<UsageAsking>();
  return asking;
}

}  // namespace fuseboard::gateway
