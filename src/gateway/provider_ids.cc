// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_ids.h"

#include <algorithm>
#include <utility>

namespace fuseboard::gateway {

ProviderId ProviderIds::id_of(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(names_, name);
  const auto id = static_cast<std::uint32_t>(found - names_.begin());
  if (found == names_.end()) names_.emplace_back(name);
  return ProviderId{id};
}

std::optional<std::string> ProviderIds::name_of(ProviderId id) const {
  const MutexLock lock(mutex_);
  const std::uint32_t index = std::to_underlying(id);
  return index < names_.size() ? std::optional(names_[index]) : std::nullopt;
}

}  // namespace fuseboard::gateway
