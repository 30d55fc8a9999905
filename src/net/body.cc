// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/body.h"

#include <bit>
#include <vector>

namespace fuseboard::net {
namespace {

// Blocks that no body holds, by size: 4 KiB, 16 KiB, ... Few sizes, so that one that was given back fits the next.
class SpareBlocks {
 public:
  static constexpr std::size_t kLeast = 4096;

  static std::size_t size_for(std::size_t bytes) noexcept { return kLeast << (2 * class_of(bytes)); }

  std::unique_ptr<char[]> take(std::size_t size) {
    auto& blocks = blocks_[class_of(size)];
    if (blocks.empty()) return std::make_unique_for_overwrite<char[]>(size);
    std::unique_ptr<char[]> block = std::move(blocks.back());
    blocks.pop_back();
    bytes_ -= size;
    unneeded_ = std::min(unneeded_, bytes_);
    return block;
  }

  void put(std::unique_ptr<char[]> block, std::size_t size) noexcept {
    if (size > Body::kMostSpare - bytes_) return;
    auto& blocks = blocks_[class_of(size)];
    if (blocks.capacity() == 0) blocks.reserve(kMostOfAClass);
    if (blocks.size() == kMostOfAClass) return;
    blocks.push_back(std::move(block));
    bytes_ += size;
  }

  std::size_t bytes() const noexcept { return bytes_; }

  // Of the largest first: a few of them are most of it.
  void release() noexcept {
    for (std::size_t i = kClasses; i-- > 0;) {
      while (!blocks_[i].empty() && unneeded_ >= kLeast << (2 * i)) {
        blocks_[i].pop_back();
        bytes_ -= kLeast << (2 * i);
        unneeded_ -= kLeast << (2 * i);
      }
    }
    unneeded_ = bytes_;
  }

 private:
  static constexpr std::size_t kClasses = 16;
  static constexpr std::size_t kMostOfAClass = 64;

  static std::size_t class_of(std::size_t bytes) noexcept {
    const std::size_t blocks = (std::max(bytes, kLeast) - 1) / kLeast;
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

void Body::grow(std::size_t bytes) {
  const std::size_t capacity = SpareBlocks::size_for(bytes);
  std::unique_ptr<char[]> block = spare().take(capacity);
  std::copy_n(block_.get(), size_, block.get());
  give_back();
  block_ = std::move(block);
  capacity_ = capacity;
}

void Body::give_back() noexcept {
  if (block_ != nullptr) spare().put(std::move(block_), capacity_);
}

std::size_t Body::spare_bytes() noexcept { return spare().bytes(); }
void Body::release_spare() noexcept { spare().release(); }

}  // namespace fuseboard::net
