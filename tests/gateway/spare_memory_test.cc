// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/spare_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#define FUSEBOARD_TESTS_OTHER_ALLOCATOR 0
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef FUSEBOARD_TESTS_OTHER_ALLOCATOR
#define FUSEBOARD_TESTS_OTHER_ALLOCATOR 1
#endif
#endif

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(TrimDecision, WaitsForThreeQuietLooksAfterMemoryHasGrown) {
  TrimDecision decision(20 * kMiB);
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 80 * kMiB)) << "it is in use";
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 30 * kMiB)) << "more than a quarter of the growth is in use again";
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(120 * kMiB, 25 * kMiB)) << "a quarter is not much";
  EXPECT_TRUE(decision.should_trim(120 * kMiB, 0));
}

TEST(TrimDecision, MeasuresFromBeforeTheFirstLook) {
  TrimDecision decision(10 * kMiB);  // load came before anybody looked
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 50 * kMiB));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_TRUE(decision.should_trim(60 * kMiB, 0));
}

TEST(TrimDecision, AsksOnceForEachGrowth) {
  TrimDecision decision(20 * kMiB);
  int trims = 0;
  for (int i = 0; i < 10; ++i) {
    if (!decision.should_trim(60 * kMiB, 0)) continue;
    ++trims;
    decision.trimmed(59 * kMiB);  // what could not be given back
  }
  EXPECT_EQ(trims, 1) << "1 MiB above what was left is not worth it";
  for (int i = 0; i < 10; ++i) trims += decision.should_trim(59 * kMiB + TrimDecision::kWorthwhile - 1, 0) ? 1 : 0;
  EXPECT_EQ(trims, 1);
  for (int i = 0; i < 3; ++i) trims += decision.should_trim(59 * kMiB + TrimDecision::kWorthwhile, 0) ? 1 : 0;
  EXPECT_EQ(trims, 2);
}

TEST(TrimDecision, MeasuresFromTheLeastThatWasResident) {
  TrimDecision decision(100 * kMiB);
  decision.should_trim(40 * kMiB, 0);  // the system took some by itself
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_FALSE(decision.should_trim(60 * kMiB, 0));
  EXPECT_TRUE(decision.should_trim(60 * kMiB, 0));
}

TEST(ResidentBytes, TellsWhatThisProcessHas) {
  EXPECT_GT(resident_bytes(), kMiB);
  EXPECT_LT(resident_bytes(), std::size_t{1} << 40U);
}

#if defined(__GLIBC__) && !FUSEBOARD_TESTS_OTHER_ALLOCATOR
// Seven scattered blocks are what glibc keeps of a size, and the next ones that it gives.
TEST(RenewThreadCache, ScatteredBlocksAreNotKept) {  // CORE-5
  constexpr std::size_t kSize = 200;
  constexpr std::size_t kKept = 7;
  constexpr std::size_t kApart = 1000;
  const auto scattered_among_the_next = [](bool renew) {
    std::ptrdiff_t found = 0;
    // Of a thread of its own, with a cache that nothing else has been in.
    std::thread([&] {
      std::vector<void*> blocks(kKept * kApart);
      for (void*& block : blocks) block = ::operator new(kSize);
      std::array<void*, kKept> scattered{};
      for (std::size_t i = 0; i < kKept; ++i) scattered[i] = std::exchange(blocks[i * kApart], nullptr);
      for (void* const block : scattered) ::operator delete(block);
      if (renew) renew_thread_cache();
      std::array<void*, kKept> next{};
      for (void*& block : next) block = ::operator new(kSize);
      found = std::ranges::count_if(
          next, [&](void* block) { return std::ranges::find(scattered, block) != scattered.end(); });
      for (void* const block : next) ::operator delete(block);
      for (void* const block : blocks) ::operator delete(block);
    }).join();
    return found;
  };
  ASSERT_EQ(scattered_among_the_next(false), kKept) << "glibc does not work as this assumes";
  EXPECT_EQ(scattered_among_the_next(true), 0);
}
#endif

}  // namespace
}  // namespace fuseboard::gateway
