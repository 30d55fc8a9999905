// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A list held in place with a stated bound, for histories that travel by value.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace fuseboard {

// Keeps the first N - 1 elements and the last one; what falls out between is counted. So the beginning of a history,
// which explains it, and its end, which decided it, both survive the bound. Places that are not in use cost nothing:
// they hold no objects.
template <typename T, std::size_t N>
class BoundedList {
  static_assert(N >= 2);
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  void push_back(const T& element) noexcept {
    if (size_ < N) {
      std::construct_at(place(size_++), element);
    } else {
      back() = element;
      ++dropped_;
    }
  }

  // The list that had these elements and had dropped so many; at most N.
  void restore(std::span<const T> elements, std::uint64_t dropped) noexcept {
    size_ = 0;
    for (const T& element : elements.first(std::min(elements.size(), N))) push_back(element);
    dropped_ = dropped;
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::uint64_t dropped() const noexcept { return dropped_; }
  const T& operator[](std::size_t i) const noexcept { return begin()[i]; }
  const T& back() const noexcept { return begin()[size_ - 1]; }
  T& back() noexcept { return *std::launder(place(size_ - 1)); }
  const T* begin() const noexcept { return std::launder(reinterpret_cast<const T*>(bytes_.data())); }
  const T* end() const noexcept { return begin() + size_; }

 private:
  T* place(std::size_t i) noexcept { return reinterpret_cast<T*>(bytes_.data()) + i; }

  std::size_t size_ = 0;
  std::uint64_t dropped_ = 0;
  alignas(T) std::array<std::byte, N * sizeof(T)> bytes_;
};

}  // namespace fuseboard
