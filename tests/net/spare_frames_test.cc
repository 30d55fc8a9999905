// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/spare_frames.h"

#include <gtest/gtest.h>

#include "net/task.h"

namespace fuseboard::net {
namespace {

Task<int> nested(int depth) { co_return depth == 0 ? 0 : 1 + co_await nested(depth - 1); }

int run(int depth) {
  int result = 0;
  spawn([](int levels, int& into) -> Task<void> { into = co_await nested(levels); }(depth, result));
  return result;
}

TEST(SpareFrames, WhatWasNotNeededSinceTheLastTimeGoes) {
  ASSERT_EQ(run(40), 40);
  if (spare_frame_bytes() == 0) GTEST_SKIP() << "frames are not used again under AddressSanitizer";
  release_spare_frames();
  const std::size_t kept = spare_frame_bytes();
  EXPECT_GT(kept, 0U) << "it has just been needed";
  ASSERT_EQ(run(10), 10);
  release_spare_frames();
  const std::size_t needed = spare_frame_bytes();
  EXPECT_LT(needed, kept) << "of forty no more than ten were";
  EXPECT_GT(needed, 0U);
  release_spare_frames();
  EXPECT_EQ(spare_frame_bytes(), 0U);
  ASSERT_EQ(run(40), 40);
}

}  // namespace
}  // namespace fuseboard::net
