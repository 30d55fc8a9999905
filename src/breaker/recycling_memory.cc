// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/recycling_memory.h"

#include <algorithm>
#include <new>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {

RecyclingMemory::Size& RecyclingMemory::size_of(std::size_t bytes, std::size_t alignment) {
  const auto known = std::find_if(sizes_.begin(), sizes_.end(),
                                  [&](const Size& size) { return size.bytes == bytes && size.alignment == alignment; });
  return known != sizes_.end() ? *known
                               : sizes_.emplace_back(Size{.bytes = bytes, .alignment = alignment, .free = nullptr});
}

void* RecyclingMemory::do_allocate(std::size_t bytes, std::size_t alignment) {
  check_invariant(bytes >= sizeof(FreePiece) && alignment >= alignof(FreePiece), "a free piece holds a pointer");
  FreePiece*& free = size_of(bytes, alignment).free;
  if (free == nullptr) return blocks_.allocate(bytes, alignment);
  return std::exchange(free, free->next);
}

void RecyclingMemory::do_deallocate(void* piece, std::size_t bytes, std::size_t alignment) {
  // Its size is known since it was allocated.
  FreePiece*& free = size_of(bytes, alignment).free;
  free = ::new (piece) FreePiece{.next = free};
}

}  // namespace fuseboard
