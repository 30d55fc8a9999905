// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counts what the calling thread allocates, and fails what allocations.h says. It replaces operator new, so one file of
// a test program may include it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include "tests/support/allocations.h"

#if FUSEBOARD_ALLOCATIONS_SEEN
namespace {

// nullptr if it fails.
void* counted(std::size_t size, std::size_t alignment) noexcept {
  ++fuseboard::allocations;
  fuseboard::allocated_bytes += size;
  if (fuseboard::allocations_left != fuseboard::kNoneFails && fuseboard::allocations_left-- == 0) return nullptr;
  size = (size + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, size);
}
void* counted_or_throw(std::size_t size, std::size_t alignment) {
  if (void* const memory = counted(size, alignment)) return memory;
  throw std::bad_alloc();
}

// Not inlined: g++ would see free() meet operator new, and warn.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }

}  // namespace

// The forms for arrays call these.
void* operator new(std::size_t size) { return counted_or_throw(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept { give_back(memory); }
#endif
