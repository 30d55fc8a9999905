// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is found by the same lookup as a key's breaker [BRK-17.7].
#pragma once

#include <cstdint>

#include "fuseboard/core/time.h"

namespace fuseboard {

// What somebody else keeps by key beside the breaker: found by the same lookup, and let go of with it. Made and
// destroyed under the registry's lock, so neither may call back into the registry, read a clock or run a user's code.
class KeyCompanion {
 public:
  virtual ~KeyCompanion() = default;
  // Whether nothing is lost if it goes. Called under the registry's lock too.
  virtual bool is_idle(TimePoint now) const noexcept = 0;
  // Handles of its own key that it holds itself: they do not keep the key.
  virtual std::uint32_t own_handles() const noexcept { return 0; }
};

}  // namespace fuseboard
