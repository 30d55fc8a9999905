// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/spare_blocks.h"

#include <gtest/gtest.h>

#include <vector>

#include "net/body.h"
#include "net/read_buffer.h"

namespace fuseboard::net {
namespace {

TEST(SpareBlocks, TheMemoryOfOneBodyServesForTheNext) {
  release_spare_blocks();
  release_spare_blocks();
  ASSERT_EQ(spare_block_bytes(), 0U);
  const char* first = nullptr;
  {
    Body body;
    body.reserve(100'000);
    first = body.room().data();
  }
  EXPECT_EQ(spare_block_bytes(), 256U * 1024);
  Body body;
  body.reserve(200'000);
  EXPECT_EQ(body.room().data(), first);
  EXPECT_EQ(spare_block_bytes(), 0U);
}

TEST(SpareBlocks, SpareMemoryIsBoundedAndGoesWhenNobodyNeedsIt) {  // CORE-5
  release_spare_blocks();
  release_spare_blocks();
  {
    std::vector<Body> bodies(10);
    for (Body& body : bodies) body.reserve(std::size_t{16} << 20U);
  }
  EXPECT_LE(spare_block_bytes(), kMaxSpareBytes);
  EXPECT_GE(spare_block_bytes(), kMaxSpareBytes / 2);
  release_spare_blocks();
  {
    Body body;
    body.reserve(std::size_t{16} << 20U);
  }
  release_spare_blocks();
  EXPECT_EQ(spare_block_bytes(), std::size_t{16} << 20U) << "one was in use since the last time";
  release_spare_blocks();
  EXPECT_EQ(spare_block_bytes(), 0U);
}

// What a connection reads into while it has something to read: as many blocks as were read at once.
TEST(SpareBlocks, WhatReadsNeededGoesToo) {  // CORE-5
  release_spare_blocks();
  release_spare_blocks();
  ASSERT_EQ(spare_block_bytes(), 0U);
  std::vector<ReadBuffer> buffers;
  for (int i = 0; i < 20; ++i) buffers.emplace_back(std::size_t{1} << 20U);
  for (ReadBuffer& buffer : buffers) static_cast<void>(buffer.room());
  for (ReadBuffer& buffer : buffers) buffer.release();
  EXPECT_EQ(spare_block_bytes(), 20 * ReadBuffer::kSmall);
  const char* const block = buffers.front().room().data();
  EXPECT_EQ(spare_block_bytes(), 19 * ReadBuffer::kSmall);
  EXPECT_NE(block, nullptr);
  buffers.front().release();
  release_spare_blocks();
  EXPECT_EQ(spare_block_bytes(), 20 * ReadBuffer::kSmall) << "all were in use since the last time";
  release_spare_blocks();
  EXPECT_EQ(spare_block_bytes(), 0U);
}

}  // namespace
}  // namespace fuseboard::net
