// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which provider keeps the state that a later request may refer to [FBK-7].
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fuseboard/core/mutex.h"
#include "gateway/provider_ids.h"

namespace fuseboard::gateway {

// Of the latest kMaxKnown answers that passed by. Thread-safe.
class ProviderAffinity {
 public:
  static constexpr std::size_t kMaxKnown = 10'000;
  static constexpr std::size_t kMaxIdBytes = 256;  // longer ids are not remembered

  // `id` of an answer that this provider gave.
  void remember(std::string_view id, ProviderId provider);
  std::optional<ProviderId> find(std::string_view id) const;

 private:
  mutable Mutex mutex_;
  std::deque<std::string> order_ FUSEBOARD_GUARDED_BY(mutex_);  // oldest first; what the map's keys view
  std::unordered_map<std::string_view, ProviderId> providers_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard::gateway
