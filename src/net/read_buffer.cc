// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/read_buffer.h"

#include <utility>

#include "net/spare_blocks.h"

namespace fuseboard::net {

static_assert(ReadBuffer::kSmall == kSmallestBlock);

std::unique_ptr<char[]> ReadBuffer::take_small() { return take_block(kSmall); }

void ReadBuffer::release() noexcept {
  std::memmove(rest_.data(), data(), size());
  end_ = size();
  begin_ = 0;
  if (capacity_ == kSmall) release_block(std::move(data_), kSmall);
  data_.reset();
  capacity_ = 0;
}

}  // namespace fuseboard::net
