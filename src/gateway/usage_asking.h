// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether a target takes the question for usage that its caller did not ask [BUD-10].
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "fuseboard/core/key.h"
#include "fuseboard/core/mutex.h"

namespace fuseboard::gateway {

// What is known of one target. Thread-safe.
class UsageAsking {
 public:
  enum class Known : std::uint8_t {
    nothing,
    taken,    // a request that asks is answered, or is refused for something else
    refused,  // the same request without the question is answered
  };

  Known known() const noexcept { return known_.load(std::memory_order_relaxed); }
  // Asked before stored: every stream of a target notes the same.
  void note(Known known) noexcept {
    if (known_.load(std::memory_order_relaxed) != known) known_.store(known, std::memory_order_relaxed);
  }

 private:
  std::atomic<Known> known_{Known::nothing};
};

// One for each target that a route leads to, whichever routing it is of. Thread-safe.
class UsageAskings {
 public:
  // The same for all who ask for the key while anybody has it.
  std::shared_ptr<UsageAsking> of(KeyView key);

 private:
  static constexpr std::size_t kFirstSweep = 64;

  Mutex mutex_;
  // By the keys' text. Those that nobody has go when the map has doubled since that was looked at.
  std::map<std::string, std::weak_ptr<UsageAsking>, std::less<>> known_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t sweep_at_ FUSEBOARD_GUARDED_BY(mutex_) = kFirstSweep;
};

}  // namespace fuseboard::gateway
