// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/read_buffer.h"

#include <utility>
#include <vector>

namespace fuseboard::net {
namespace {

// Small blocks that nobody uses, for reads to come: without them each message would cost an allocation on either side.
constexpr std::size_t kMostSpare = 64;

std::vector<std::unique_ptr<char[]>>& spare_blocks() {
  thread_local std::vector<std::unique_ptr<char[]>> spare;
  return spare;
}

}  // namespace

std::unique_ptr<char[]> ReadBuffer::take_small() {
  auto& spare = spare_blocks();
  if (spare.empty()) return std::make_unique_for_overwrite<char[]>(kSmall);
  std::unique_ptr<char[]> block = std::move(spare.back());
  spare.pop_back();
  return block;
}

void ReadBuffer::release() noexcept {
  std::memmove(rest_.data(), data(), size());
  end_ = size();
  begin_ = 0;
  auto& spare = spare_blocks();
  if (spare.capacity() == 0) spare.reserve(kMostSpare);
  if (capacity_ == kSmall && spare.size() < kMostSpare) spare.push_back(std::move(data_));
  data_.reset();
  capacity_ = 0;
}

}  // namespace fuseboard::net
