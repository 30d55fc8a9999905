// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "fuseboard/pipeline/explanation.h"

namespace fuseboard {
namespace {

// A list as it lies in the bytes: how many, how many were dropped, then the elements.
template <typename T, std::size_t N>
std::size_t packed_size(const BoundedList<T, N>& list) {
  return 2 * sizeof(std::uint64_t) + list.size() * sizeof(T);
}

std::size_t packed_size(const CallRecord& record) {
  return sizeof(CallSummary) + packed_size(record.attempts) + packed_size(record.rejections) +
         packed_size(record.waits) + packed_size(record.notes) + packed_size(record.not_asked);
}

class Packer {
 public:
  explicit Packer(std::byte* to) : to_(to) {}
  void put(const void* from, std::size_t size) {
    if (size > 0) std::memcpy(to_, from, size);
    to_ += size;
  }
  template <typename T, std::size_t N>
  void put(const BoundedList<T, N>& list) {
    const std::array<std::uint64_t, 2> head = {list.size(), list.dropped()};
    put(head.data(), sizeof head);
    put(list.begin(), list.size() * sizeof(T));
  }

 private:
  std::byte* to_;
};

class Unpacker {
 public:
  explicit Unpacker(const std::byte* from) : from_(from) {}
  void get(void* to, std::size_t size) {
    if (size > 0) std::memcpy(to, from_, size);
    from_ += size;
  }
  template <typename T, std::size_t N>
  void get(BoundedList<T, N>& list) {
    std::array<std::uint64_t, 2> head{};
    get(head.data(), sizeof head);
    std::array<T, N> elements;
    get(elements.data(), head[0] * sizeof(T));
    list.restore(std::span(elements).first(head[0]), head[1]);
  }

 private:
  const std::byte* from_;
};

}  // namespace

Problems ExplanationOptions::validate() const {
  Validator validator;
  validator.in_range<std::size_t>("max_calls", max_calls, 1, 1'000'000);
  validator.in_range<std::size_t>("max_bytes", max_bytes, std::size_t{64} << 10U, std::size_t{1} << 30U);
  return std::move(validator).take();
}

// At most half of the bytes go into the index.
Explanations::Explanations(const ExplanationOptions& options)
    : most_entries_(std::min(checked(options).max_calls, options.max_bytes / 2 / sizeof(Entry))),
      most_bytes_(options.max_bytes - most_entries_ * sizeof(Entry)) {}

bool Explanations::reserve_locked() {
  if (bytes_ != nullptr) return true;
  try {
    entries_.reserve(most_entries_);
    bytes_ = std::make_unique_for_overwrite<std::byte[]>(most_bytes_);
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void Explanations::keep(const CallId& id, const std::shared_ptr<const Plan>& plan, const CallRecord& record) {
  const std::size_t size = packed_size(record);
  const MutexLock lock(mutex_);
  if (size > most_bytes_ || !reserve_locked()) return;
  const std::size_t offset = make_room_locked(size);
  Packer packer(bytes_.get() + offset);
  packer.put(static_cast<const CallSummary*>(&record), sizeof(CallSummary));
  packer.put(record.attempts);
  packer.put(record.rejections);
  packer.put(record.waits);
  packer.put(record.notes);
  packer.put(record.not_asked);
  if (next_ == entries_.size()) entries_.emplace_back();  // never more than are reserved
  entries_[next_] = {.id = id, .plan = plan, .offset = offset, .size = size};
  next_ = (next_ + 1) % most_entries_;
  ++count_;
  free_from_ = offset + size;
}

// Where `size` bytes are free, the oldest entries given up as needed.
std::size_t Explanations::make_room_locked(std::size_t size) {
  if (count_ == most_entries_) drop_oldest_locked();
  std::size_t offset = free_from_;
  if (offset + size > most_bytes_) {
    // What lies behind the last record is left empty, so everything that lies there goes.
    while (count_ > 0 && entry_locked(count_ - 1).offset >= free_from_) drop_oldest_locked();
    offset = 0;
  }
  const auto overlaps = [&](const Entry& entry) {
    return entry.offset < offset + size && offset < entry.offset + entry.size;
  };
  while (count_ > 0 && overlaps(entry_locked(count_ - 1))) drop_oldest_locked();
  return offset;
}

void Explanations::drop_oldest_locked() {
  const std::size_t oldest = (next_ + most_entries_ - count_) % most_entries_;
  entries_[oldest] = {};
  --count_;
}

const Explanations::Entry& Explanations::entry_locked(std::size_t i) const {
  return entries_[(next_ + 2 * most_entries_ - 1 - i) % most_entries_];
}

Explanations::Kept Explanations::read_locked(const Entry& entry) const {
  Kept kept{.id = entry.id, .plan = entry.plan, .record = {}};
  Unpacker unpacker(bytes_.get() + entry.offset);
  unpacker.get(static_cast<CallSummary*>(&kept.record), sizeof(CallSummary));
  unpacker.get(kept.record.attempts);
  unpacker.get(kept.record.rejections);
  unpacker.get(kept.record.waits);
  unpacker.get(kept.record.notes);
  unpacker.get(kept.record.not_asked);
  return kept;
}

std::optional<Explanations::Kept> Explanations::find(std::string_view id) const {
  const CallId wanted(id);
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < count_; ++i) {
    if (entry_locked(i).id == wanted) return read_locked(entry_locked(i));
  }
  return std::nullopt;
}

std::vector<Explanations::Kept> Explanations::latest(std::size_t most) const {
  std::vector<Kept> kept;
  const MutexLock lock(mutex_);
  const std::size_t size = std::min(most, count_);
  kept.reserve(size);
  for (std::size_t i = 0; i < size; ++i) kept.push_back(read_locked(entry_locked(i)));
  return kept;
}

std::size_t Explanations::size() const {
  const MutexLock lock(mutex_);
  return count_;
}

}  // namespace fuseboard
