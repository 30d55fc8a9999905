// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// From key to entry, read without locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/key.h"

namespace fuseboard {

// Open addressing with linear probing over stable entries that somebody else owns. An Entry has `KeyView key() const`
// and outlives the index. Readers load two atomics and write nothing, so any number of threads find keys at the speed
// of one. A writer that outgrows the table publishes a larger one; old tables live as long as the index, because a
// reader may still be in one (together they are smaller than the current one).
//
// find() is thread-safe; the rest needs the callers' own lock. Memory: 16 bytes a slot, at most 2/3 of the
// slots are used.
//
// Where entries are erased, find() may miss one that is moved to another slot meanwhile: whoever then needs to know
// asks again under the writers' lock. An erased entry may still be looked at by a find() that began before. Loads and
// stores of entries are sequentially consistent, so readers that announce themselves first (by a sequentially
// consistent write) are seen by a writer that looks for them after erase(); on x86 and ARM that costs find() nothing.
template <typename Entry>
class KeyIndex {
 public:
  KeyIndex() { publish(std::make_unique<Table>(kInitialSlots)); }

  // The entry of `key`, or nullptr. `key_hash` is hash(key). An insert that runs at the same time may not be seen yet.
  Entry* find(const KeyView& key, std::uint64_t key_hash) const noexcept {
    const Table& table = *current_.load(std::memory_order_seq_cst);
    for (std::size_t i = key_hash & table.mask;; i = (i + 1) & table.mask) {
      const Slot& slot = table.slots[i];
      Entry* const entry = slot.entry.load(std::memory_order_seq_cst);
      if (entry == nullptr) return nullptr;
      // The hash is written before the entry is published. It may be that of another entry by now: then this one is
      // missed, or compared in vain.
      if (slot.key_hash.load(std::memory_order_relaxed) == key_hash && entry->key() == key) return entry;
    }
  }

  // `entry` must be in the index. The entries behind it move up, so that no gap is left that a search would end at.
  void erase(Entry& entry, std::uint64_t key_hash) noexcept {
    Table& table = *tables_.back();
    std::size_t gap = key_hash & table.mask;
    while (table.slots[gap].entry.load(std::memory_order_relaxed) != &entry) gap = (gap + 1) & table.mask;
    for (std::size_t i = (gap + 1) & table.mask;; i = (i + 1) & table.mask) {
      Entry* const next = table.slots[i].entry.load(std::memory_order_relaxed);
      if (next == nullptr) break;
      const std::uint64_t next_hash = table.slots[i].key_hash.load(std::memory_order_relaxed);
      // It may move up to its own first slot, not before it.
      if (((i - next_hash) & table.mask) < ((i - gap) & table.mask)) continue;
      put(table.slots[gap], next, next_hash);
      gap = i;
    }
    table.slots[gap].entry.store(nullptr, std::memory_order_seq_cst);
    --size_;
  }

  // Makes room for one more entry. Strong exception guarantee.
  void reserve_one() {
    if ((size_ + 1) * 3 > tables_.back()->slots.size() * 2) grow();
  }

  // `entry` must not be in the index yet, and neither must its key. Does not throw where there is room: by
  // reserve_one(), or because another entry was erased since the last insert.
  void insert(Entry& entry, std::uint64_t key_hash) {
    reserve_one();
    place(*tables_.back(), entry, key_hash);
    ++size_;
  }

 private:
  static constexpr std::size_t kInitialSlots = 16;

  struct Slot {
    Atomic<std::uint64_t> key_hash{0};
    Atomic<Entry*> entry{nullptr};
  };
  struct Table {
    explicit Table(std::size_t slot_count) : mask(slot_count - 1), slots(slot_count) {}
    const std::size_t mask;
    std::vector<Slot> slots;
  };

  static void place(Table& table, Entry& entry, std::uint64_t key_hash) noexcept {
    std::size_t i = key_hash & table.mask;
    while (table.slots[i].entry.load(std::memory_order_relaxed) != nullptr) i = (i + 1) & table.mask;
    put(table.slots[i], &entry, key_hash);
  }

  static void put(Slot& slot, Entry* entry, std::uint64_t key_hash) noexcept {
    slot.key_hash.store(key_hash, std::memory_order_relaxed);
    slot.entry.store(entry, std::memory_order_seq_cst);
  }

  void grow() {
    const Table& old = *tables_.back();
    auto larger = std::make_unique<Table>(old.slots.size() * 2);
    for (const Slot& slot : old.slots) {
      if (Entry* const entry = slot.entry.load(std::memory_order_relaxed)) {
        place(*larger, *entry, slot.key_hash.load(std::memory_order_relaxed));
      }
    }
    publish(std::move(larger));
  }

  void publish(std::unique_ptr<Table> table) {
    tables_.push_back(std::move(table));
    current_.store(tables_.back().get(), std::memory_order_seq_cst);
  }

  Atomic<const Table*> current_{nullptr};
  std::vector<std::unique_ptr<Table>> tables_;
  std::size_t size_ = 0;
};

}  // namespace fuseboard
