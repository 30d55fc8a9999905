// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/body.h"

#include "net/spare_blocks.h"

namespace fuseboard::net {

void Body::grow(std::size_t bytes) {
  const std::size_t capacity = block_size_for(bytes);
  std::unique_ptr<char[]> block = take_block(capacity);
  std::copy_n(block_.get(), size_, block.get());
  release();
  block_ = std::move(block);
  capacity_ = capacity;
}

void Body::release() noexcept {
  if (block_ != nullptr) release_block(std::move(block_), capacity_);
}

}  // namespace fuseboard::net
