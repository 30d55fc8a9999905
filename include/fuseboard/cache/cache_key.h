// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an entry is found by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace fuseboard {

// 32 bytes that stand for a request: a SHA-256 [CCH-1], so its bits are as good as random and two requests never share
// one. Whoever knows the request computes it.
struct CacheKey {
  std::array<std::uint8_t, 32> bytes{};

  friend bool operator==(const CacheKey&, const CacheKey&) noexcept = default;
};

// Any eight bytes of a cryptographic hash are a good hash, and nobody can choose them to collide.
struct CacheKeyHash {
  std::size_t operator()(const CacheKey& key) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, key.bytes.data(), sizeof word);
    return static_cast<std::size_t>(word);
  }
};

// 64 lower-case hexadecimal digits.
std::string to_text(const CacheKey& key);

}  // namespace fuseboard
