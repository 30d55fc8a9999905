// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: received bytes that have not been consumed, contiguous, in memory that grows with need and up to a
// bound.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace fuseboard::net {

class ReadBuffer {
 public:
  // A live stream must fit in 20 KiB with its buffers on both sides; a bulk transfer grows to kBulk.
  static constexpr std::size_t kSmall = 4 * 1024;
  static constexpr std::size_t kBulk = 64 * 1024;

  // `most` bounds what is held; at least kSmall.
  explicit ReadBuffer(std::size_t most) : most_(std::max(most, kSmall)) {}

  std::string_view view() const noexcept { return {data_.get() + begin_, end_ - begin_}; }
  // For decoding in place.
  char* data() noexcept { return data_.get() + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // The bytes stay where they are until the next room().
  void consume(std::size_t n) noexcept { begin_ += n; }
  void clear() noexcept { begin_ = end_ = 0; }

  // Free space for a read; empty when `most` bytes are held. May move what is held.
  std::span<char> room() {
    if (empty()) clear();
    if (data_ == nullptr) resize(std::min(kSmall, most_));
    if (capacity_ - end_ < kLeastRoom || wants_more_) make_room();
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) noexcept {
    end_ += n;
    wants_more_ = end_ == capacity_;  // a read that fills the room suggests that more is waiting
  }

  // Gives memory back that only a bulk transfer needed. Only while nothing is held or being read.
  void shrink() {
    clear();
    wants_more_ = false;
    if (capacity_ > kSmall) {
      data_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::size_t kLeastRoom = 1024;

  void make_room() {
    if (begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    if ((wants_more_ || capacity_ - end_ < kLeastRoom) && capacity_ < most_) {
      resize(std::min(capacity_ < kBulk ? std::min(capacity_ * 4, kBulk) : capacity_ * 2, most_));
    }
    wants_more_ = false;
  }
  void resize(std::size_t capacity) {
    auto fresh = std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ > 0) std::memcpy(fresh.get(), data_.get(), end_);
    data_ = std::move(fresh);
    capacity_ = capacity;
  }

  const std::size_t most_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool wants_more_ = false;
};

}  // namespace fuseboard::net
