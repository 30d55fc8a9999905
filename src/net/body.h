// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A message's body: whole, contiguous, and in memory that is used again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "net/body_memory.h"

namespace fuseboard::net {

// What a message's body consists of: up to three pieces, sent one after another. Views.
struct BodyPieces {
  BodyPieces() noexcept = default;
  BodyPieces(std::string_view whole) noexcept : parts{whole} {}               // NOLINT(google-explicit-constructor)
  BodyPieces(const char* whole) noexcept : parts{std::string_view(whole)} {}  // NOLINT(google-explicit-constructor)
  template <class String>
    requires std::is_convertible_v<const String&, std::string_view>
  BodyPieces(const String& whole) noexcept  // NOLINT(google-explicit-constructor)
      : parts{static_cast<std::string_view>(whole)} {}
  BodyPieces(std::string_view a, std::string_view b, std::string_view c) noexcept : parts{a, b, c} {}

  std::size_t size() const noexcept { return parts[0].size() + parts[1].size() + parts[2].size(); }

  std::array<std::string_view, 3> parts;
};

// Pages that a program touches for the first time cost as much as the bytes that are read into them, and bodies of
// long conversations come one after another: the memory of one serves for the next on the same thread.
class Body {
 public:
  Body() noexcept = default;
  explicit Body(BodyMemory::Share share) noexcept : share_(std::move(share)) {}
  // Copies have no share of any memory.
  template <class String>
    requires std::is_convertible_v<const String&, std::string_view>
  Body(const String& text) {  // NOLINT(google-explicit-constructor)
    append(static_cast<std::string_view>(text));
  }
  Body(const Body& other) { append(other.view()); }
  Body& operator=(const Body& other) { return *this = Body(other); }
  Body(Body&& other) noexcept
      : block_(std::move(other.block_)),
        capacity_(std::exchange(other.capacity_, 0)),
        size_(std::exchange(other.size_, 0)),
        share_(std::move(other.share_)) {}
  Body& operator=(Body&& other) noexcept {
    Body moved(std::move(other));
    std::swap(block_, moved.block_);
    std::swap(capacity_, moved.capacity_);
    std::swap(size_, moved.size_);
    std::swap(share_, moved.share_);
    return *this;
  }
  ~Body() { release(); }

  std::string_view view() const noexcept { return {block_.get(), size_}; }
  operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }
  BodyMemory::Share& share() noexcept { return share_; }

  // Room for so many bytes in all; moves what is there.
  void reserve(std::size_t bytes) {
    if (bytes > capacity_) grow(bytes);
  }
  void append(std::string_view text) {
    if (text.size() > capacity_ - size_) grow(std::max(size_ + text.size(), 2 * capacity_));
    std::copy(text.begin(), text.end(), block_.get() + size_);
    size_ += text.size();
  }
  // To write into, up to the capacity, and how much of it was written.
  std::span<char> room() noexcept { return {block_.get() + size_, capacity_ - size_}; }
  void commit(std::size_t bytes) noexcept { size_ += bytes; }

 private:
  void grow(std::size_t bytes);
  void release() noexcept;

  std::unique_ptr<char[]> block_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  BodyMemory::Share share_;
};

}  // namespace fuseboard::net
