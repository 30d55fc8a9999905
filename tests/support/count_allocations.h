// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counts what the calling thread allocates. It replaces operator new, so one file of a test program may include it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__has_feature)
#define FUSEBOARD_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define FUSEBOARD_SANITIZED 0
#endif

namespace {

thread_local std::uint64_t allocations = 0;

}  // namespace

// A sanitizer brings an operator new of its own, so there nothing is counted and nothing fails.
#if !FUSEBOARD_SANITIZED
namespace {

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  size = (size + alignment - 1) / alignment * alignment;
  if (void* const memory = std::aligned_alloc(alignment, size)) return memory;
  throw std::bad_alloc();
}

// Not inlined: g++ would see free() meet operator new, and warn.
[[gnu::noinline]] void give_back(void* memory) noexcept { std::free(memory); }

}  // namespace

// The other forms of new and delete call these.
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
#endif
