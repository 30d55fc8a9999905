// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A list held in place with a stated bound, for histories that travel by value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fuseboard {

// Keeps the first N - 1 elements and the last one; what falls out between is counted. So the beginning of a history,
// which explains it, and its end, which decided it, both survive the bound.
template <typename T, std::size_t N>
class BoundedList {
  static_assert(N >= 2);

 public:
  void push_back(const T& element) noexcept {
    if (size_ < N) {
      elements_[size_++] = element;
    } else {
      elements_[N - 1] = element;
      ++dropped_;
    }
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  const T& operator[](std::size_t i) const noexcept { return elements_[i]; }
  const T& back() const noexcept { return elements_[size_ - 1]; }
  T& back() noexcept { return elements_[size_ - 1]; }
  const T* begin() const noexcept { return elements_.data(); }
  const T* end() const noexcept { return elements_.data() + size_; }

 private:
  std::array<T, N> elements_{};
  std::size_t size_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace fuseboard
