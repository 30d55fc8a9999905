// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/spare_blocks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

namespace fuseboard::net {
namespace {

// By size.
class SpareBlocks {
 public:
  static std::size_t size_for(std::size_t bytes) noexcept { return kSmallestBlock << (2 * class_of(bytes)); }

  std::unique_ptr<char[]> take(std::size_t size) {
    auto& blocks = blocks_[class_of(size)];
    if (blocks.capacity() == 0) blocks.reserve(kMaxOfAClass);  // here, where it may fail
    if (blocks.empty()) return std::make_unique_for_overwrite<char[]>(size);
    std::unique_ptr<char[]> block = std::move(blocks.back());
    blocks.pop_back();
    bytes_ -= size;
    unneeded_ = std::min(unneeded_, bytes_);
    return block;
  }

  void put(std::unique_ptr<char[]> block, std::size_t size) noexcept {
    if (size > kMaxSpareBytes - bytes_) return;
    auto& blocks = blocks_[class_of(size)];
    if (blocks.size() == std::min(blocks.capacity(), kMaxOfAClass)) return;
    blocks.push_back(std::move(block));
    bytes_ += size;
  }

  std::size_t bytes() const noexcept { return bytes_; }

  // Of the largest first: a few of them are most of it.
  void release() noexcept {
    for (std::size_t i = kClasses; i-- > 0;) {
      while (!blocks_[i].empty() && unneeded_ >= kSmallestBlock << (2 * i)) {
        blocks_[i].pop_back();
        bytes_ -= kSmallestBlock << (2 * i);
        unneeded_ -= kSmallestBlock << (2 * i);
      }
    }
    unneeded_ = bytes_;
  }

 private:
  static constexpr std::size_t kClasses = 16;
  static constexpr std::size_t kMaxOfAClass = 64;

  static std::size_t class_of(std::size_t bytes) noexcept {
    const std::size_t blocks = (std::max(bytes, kSmallestBlock) - 1) / kSmallestBlock;
    return (static_cast<std::size_t>(std::bit_width(blocks)) + 1) / 2;
  }

  std::array<std::vector<std::unique_ptr<char[]>>, kClasses> blocks_;
  std::size_t bytes_ = 0;
  std::size_t unneeded_ = 0;  // the least that was spare since the last release
};

SpareBlocks& spare() {
  thread_local SpareBlocks blocks;
  return blocks;
}

}  // namespace

std::size_t block_size_for(std::size_t bytes) noexcept { return SpareBlocks::size_for(bytes); }
std::unique_ptr<char[]> take_block(std::size_t size) { return spare().take(size); }
void release_block(std::unique_ptr<char[]> block, std::size_t size) noexcept { spare().put(std::move(block), size); }
std::size_t spare_block_bytes() noexcept { return spare().bytes(); }
void release_spare_blocks() noexcept { spare().release(); }

}  // namespace fuseboard::net
