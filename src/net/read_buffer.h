// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: received bytes that have not been consumed, contiguous, in memory that grows with need and up to a
// bound.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace fuseboard::net {

class ReadBuffer {
 public:
  // Enough for most messages, and for an event of a stream; a bulk transfer grows to kBulk.
  static constexpr std::size_t kSmall = 4 * 1024;
  static constexpr std::size_t kBulk = 64 * 1024;

  // `most` bounds what is held; at least kSmall.
  explicit ReadBuffer(std::size_t most) : most_(std::max(most, kSmall)) {}

  std::string_view view() const noexcept { return {(data_ ? data_.get() : rest_.data()) + begin_, end_ - begin_}; }
  // For decoding in place.
  char* data() noexcept { return base() + begin_; }
  std::size_t size() const noexcept { return end_ - begin_; }
  bool empty() const noexcept { return begin_ == end_; }

  // The bytes stay where they are until the next room().
  void consume(std::size_t n) noexcept { begin_ += n; }
  void clear() noexcept { begin_ = end_ = 0; }

  // Free space for a read; empty when `most` bytes are held. May move what is held.
  std::span<char> room() {
    if (empty()) clear();
    if (data_ == nullptr) resize(std::min(kSmall, most_));
    if (capacity_ - end_ < kMinRoom || wants_more_) make_room();
    return {data_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t n) noexcept {
    end_ += n;
    wants_more_ = end_ == capacity_;  // a read that fills the room suggests that more is waiting
  }

  // Whether next to nothing is held, the end of a chunk say, and nothing suggests that a lot is coming.
  bool idle() const noexcept { return size() <= kRest && !wants_more_ && capacity_ <= kSmall; }
  // Gives the memory back while idle(), and moves what is held: most connections wait for most of their time, and
  // thousands of streams do at once. The thread keeps some of it for whoever reads next.
  void release() noexcept;

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
  static constexpr std::size_t kMinRoom = 1024;
  static constexpr std::size_t kRest = 16;

  char* base() noexcept { return data_ ? data_.get() : rest_.data(); }

  void make_room() {
    if (begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    if ((wants_more_ || capacity_ - end_ < kMinRoom) && capacity_ < most_) {
      resize(std::min(capacity_ < kBulk ? std::min(capacity_ * 4, kBulk) : capacity_ * 2, most_));
    }
    wants_more_ = false;
  }
  static std::unique_ptr<char[]> take_small();
  void resize(std::size_t capacity) {
    auto fresh = capacity == kSmall ? take_small() : std::make_unique_for_overwrite<char[]>(capacity);
    if (end_ > 0) std::memcpy(fresh.get(), base(), end_);
    data_ = std::move(fresh);
    capacity_ = capacity;
  }

  const std::size_t most_;
  std::unique_ptr<char[]> data_;  // null: what is held is in rest_
  std::array<char, kRest> rest_{};
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool wants_more_ = false;
};

}  // namespace fuseboard::net
