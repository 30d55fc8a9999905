// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {

RecyclingMemory::Size& RecyclingMemory::size_of(std::size_t bytes, std::size_t alignment) {
  const auto known = std::find_if(sizes_.begin(), sizes_.end(),
                                  [&](const Size& size) { return size.bytes == bytes && size.alignment == alignment; });
  return known != sizes_.end() ? *known : sizes_.emplace_back(Size{.bytes = bytes, .alignment = alignment, .free = {}});
}

void* RecyclingMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  std::vector<void*>& free = size_of(bytes, alignment).free;
  if (free.empty()) return blocks_.allocate(bytes, alignment);
  void* const piece = free.back();
  free.pop_back();
  return piece;
}

void RecyclingMemory::do_deallocate(void* piece, std::size_t bytes, std::size_t alignment) {
  size_of(bytes, alignment).free.push_back(piece);
}

}  // namespace fuseboard
