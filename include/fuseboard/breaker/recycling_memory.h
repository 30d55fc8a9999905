// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where the breakers of a registry lie.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <vector>

namespace fuseboard {

// Memory that comes from large blocks and, given back, serves again for a piece of the same size; the blocks go back at
// the end. For the few sizes that a breaker is made of. Giving back never fails. Not thread-safe.
class RecyclingMemory final : public std::pmr::memory_resource {
 private:
  // Lies in a piece that is free.
  struct FreePiece {
    FreePiece* next;
  };
  struct Size {
    std::size_t bytes;
    std::size_t alignment;
    FreePiece* free;
  };
  Size& size_of(std::size_t bytes, std::size_t alignment);
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* piece, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  std::pmr::monotonic_buffer_resource blocks_;
  std::vector<Size> sizes_;
};

}  // namespace fuseboard
