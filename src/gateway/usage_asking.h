// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether a target takes the question for usage that its caller did not ask [BUD-10].
#pragma once

#include <atomic>
#include <cstdint>

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

}  // namespace fuseboard::gateway
