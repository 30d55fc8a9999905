// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A bucket's number and its count in one word, so that both change at once.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fuseboard {

// The number above, the count below. 2^24 calls of one thread in a bucket are more than there can be; 2^40 seconds are
// more than a clock can say.
struct BucketWord {
  static constexpr unsigned kCountBits = 24;
  static constexpr std::uint64_t kMaxCalls = (std::uint64_t{1} << kCountBits) - 1;

  static constexpr std::int64_t bucket_in(std::uint64_t word) noexcept {
    return static_cast<std::int64_t>(word >> kCountBits);
  }
  static constexpr std::uint64_t count_in(std::uint64_t word) noexcept { return word & kMaxCalls; }

  // The word after one more call in `bucket`, or `calls`, at most kMaxCalls. A bucket's place is taken by the later one
  // alone.
  static constexpr std::uint64_t counted(std::uint64_t word, std::int64_t bucket, std::uint64_t calls = 1) noexcept {
    if (bucket > bucket_in(word)) return (static_cast<std::uint64_t>(bucket) << kCountBits) | calls;
    return bucket < bucket_in(word) ? word : word + std::min(calls, kMaxCalls - count_in(word));
  }
};

}  // namespace fuseboard
