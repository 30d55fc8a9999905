// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_affinity.h"

namespace fuseboard::gateway {

void ProviderAffinity::remember(std::string_view id, ProviderId provider) {
  if (id.empty() || id.size() > kMaxIdBytes) return;
  const MutexLock lock(mutex_);
  if (const auto known = providers_.find(id); known != providers_.end()) {
    known->second = provider;
    return;
  }
  if (order_.size() >= kMaxKnown) {
    providers_.erase(order_.front());
    order_.pop_front();
  }
  providers_.emplace(order_.emplace_back(id), provider);
}

std::optional<ProviderId> ProviderAffinity::find(std::string_view id) const {
  const MutexLock lock(mutex_);
  const auto found = providers_.find(id);
  if (found == providers_.end()) return std::nullopt;
  return found->second;
}

}  // namespace fuseboard::gateway
