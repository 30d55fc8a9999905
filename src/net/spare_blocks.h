// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The memory of bodies and reads that are over, which each thread keeps for those to come. Without it
// every message would cost an allocation on either side, and every long body the pages of its memory.
#pragma once

#include <cstddef>
#include <memory>

namespace fuseboard::net {

// What a thread keeps at most.
inline constexpr std::size_t kMaxSpareBytes = std::size_t{32} << 20;

inline constexpr std::size_t kSmallestBlock = 4096;
// How large the block for so many bytes is: the smallest, four times that, 16 times, ... Few sizes, so that one that
// was given back fits the next.
std::size_t block_size_for(std::size_t bytes) noexcept;

// Of a size that block_size_for() names.
std::unique_ptr<char[]> take_block(std::size_t size);
void release_block(std::unique_ptr<char[]> block, std::size_t size) noexcept;

// What this thread keeps.
std::size_t spare_block_bytes() noexcept;
// Frees of it what nobody has needed since the last call: call it every few seconds.
void release_spare_blocks() noexcept;

}  // namespace fuseboard::net
