// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a model's name may be asked within a minute: requests and tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "fuseboard/core/time.h"
#include "sim/planned_fault.h"

namespace fuseboard::sim {

// A window begins with the first request after the last one has ended, and lasts a minute. Not thread-safe. Keeps
// kMaxNames names; further ones share a window.
class RateWindows {
 public:
  static constexpr std::size_t kMaxNames = 1000;
  // The tokens that go with a request of the limit.
  static constexpr std::uint64_t kTokensPerRequest = 1000;

  // Counts a request with so many tokens of prompt against `limit` requests a minute, unless it exceeds the limit.
  Quota take(TimePoint now, std::string_view name, std::uint64_t limit, std::uint64_t tokens);

  void clear() { windows_.clear(); }

 private:
  struct Window {
    TimePoint began;
    std::uint64_t requests = 0;
    std::uint64_t tokens = 0;
  };
  Window& window_of(TimePoint now, std::string_view name);

  std::map<std::string, Window, std::less<>> windows_;
};

}  // namespace fuseboard::sim
