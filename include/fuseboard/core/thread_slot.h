// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counters that threads write without sharing a cache line.
//
// Every live thread holds a slot: the lowest index that was free when it first asked, given back when it exits. There
// are as many exclusive slots as threads can usefully run; threads beyond them share slot 0. A cell of an exclusive
// slot has one writer at a time, so it is bumped by a plain load and store (0.5 ns, any number of threads) where a
// shared counter would cost a read-modify-write on a contended line (2 ns alone, 25 with a second thread).
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <type_traits>

#include "fuseboard/core/atomic.h"

namespace fuseboard {

class ThreadSlot {
 public:
  // The slot of every thread that found no exclusive one, and of a thread that is already being torn down.
  static constexpr std::uint32_t kShared = 0;

  // Slot of the calling thread, below count(). The first call of a thread takes a lock; later ones cost a thread-local
  // load.
  static std::uint32_t current() noexcept {
#if defined(FUSEBOARD_INTERLEAVE)
    return interleave::current_slot();
#else
    const std::uint32_t slot = slot_;
    return slot != kUnassigned ? slot : assign();
#endif
  }

  // Number of slots, the shared one included: clamp(2 * hardware threads, 4, 32) + 1. Constant in a process.
  static std::uint32_t count() noexcept;

 private:
  class Pool;
  struct Tenancy;
  static constexpr std::uint32_t kUnassigned = ~std::uint32_t{0};

  static std::uint32_t assign() noexcept;

  static inline constinit thread_local std::uint32_t slot_ = kUnassigned;
};

// One Cell a slot. Cell is a struct of Atomic<std::uint64_t> counters, aligned to a cache line. Memory:
// ThreadSlot::count() * sizeof(Cell). Thread-safe; the sums are monotonic but not a consistent cut.
template <typename Cell>
class ThreadCells {
  static_assert(alignof(Cell) >= 64, "cells of two threads must not meet in one cache line");

 public:
  using Counter = Atomic<std::uint64_t> Cell::*;

  // The resource must outlive the cells.
  explicit ThreadCells(std::pmr::memory_resource& memory = *std::pmr::get_default_resource())
      : cells_(static_cast<Cell*>(memory.allocate(bytes(), alignof(Cell)))), memory_(&memory) {
    static_assert(std::is_nothrow_default_constructible_v<Cell> && std::is_trivially_destructible_v<Cell>);
    std::uninitialized_value_construct_n(cells_, ThreadSlot::count());
  }
  ~ThreadCells() { memory_->deallocate(cells_, bytes(), alignof(Cell)); }
  ThreadCells(const ThreadCells&) = delete;
  ThreadCells& operator=(const ThreadCells&) = delete;

  // Adds one. Release: whoever reads the new value sees what this thread did before.
  void add(Counter counter) noexcept {
    const std::uint32_t slot = ThreadSlot::current();
    Atomic<std::uint64_t>& value = cells_[slot].*counter;
    if (slot != ThreadSlot::kShared) [[likely]] {
      // Exclusive: a slot changes hands under the pool's lock, so nobody else writes between the load and the store.
      value.store(value.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    } else {
      value.fetch_add(1, std::memory_order_release);
    }
  }

  std::uint64_t sum(Counter counter) const noexcept {
    std::uint64_t total = 0;
    for_each([&](const Cell& cell) { total += (cell.*counter).load(std::memory_order_acquire); });
    return total;
  }

  Cell& mine() noexcept { return cells_[ThreadSlot::current()]; }
  Cell& at(std::uint32_t slot) noexcept { return cells_[slot]; }

  template <typename Visitor>
  void for_each(Visitor visit) const {
    for (std::uint32_t slot = 0; slot < ThreadSlot::count(); ++slot) visit(cells_[slot]);
  }

 private:
  static std::size_t bytes() noexcept { return ThreadSlot::count() * sizeof(Cell); }

  Cell* const cells_;
  std::pmr::memory_resource* const memory_;
};

}  // namespace fuseboard
