// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the calling thread allocates, and allocations that fail. One file of the test program must include
// count_allocations.h, which brings the operator new that looks here.
#pragma once

#include <cstdint>
#include <limits>

namespace fuseboard {

// ThreadSanitizer brings an operator new of its own that cannot be replaced: there nothing is counted and nothing
// fails.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FUSEBOARD_ALLOCATIONS_SEEN 0
#endif
#endif
#ifndef FUSEBOARD_ALLOCATIONS_SEEN
#define FUSEBOARD_ALLOCATIONS_SEEN 1
#endif
inline constexpr bool kAllocationsSeen = FUSEBOARD_ALLOCATIONS_SEEN != 0;

inline thread_local std::uint64_t allocations = 0;
inline thread_local std::uint64_t allocated_bytes = 0;
// How many succeed before one fails.
inline constexpr std::uint64_t kNoneFails = std::numeric_limits<std::uint64_t>::max();
inline thread_local std::uint64_t allocations_left = kNoneFails;

// Calls `body`, in which one allocation of this thread fails: the first, then, called again, the second, until there
// is a call in which none is left to fail. Then `after(failed)`, whose own allocations succeed. How many failed; where
// none are seen, more than any.
template <typename Body, typename After>
int fail_each_allocation(Body body, After after) {
  for (int n = 0;; ++n) {
    allocations_left = static_cast<std::uint64_t>(n);
    body();
    const bool failed = allocations_left == kNoneFails;
    allocations_left = kNoneFails;
    after(failed);
    if (!failed) return kAllocationsSeen ? n : std::numeric_limits<int>::max();
  }
}

}  // namespace fuseboard
