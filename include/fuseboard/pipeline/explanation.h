// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Why a call ended as it did: for people, and kept for a while [PIP-6].
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/call_observers.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard {

// Several lines: the candidates in order, then each refusal, wait and attempt with its numbers, then the end. `plan` is
// the one that the call ran under. Names targets and categories; no content, no credential.
std::string explain(const CallRecord& record, const Plan& plan);

struct ExplanationOptions {
  std::size_t max_calls = 10'000;                 // 1 to 1 000 000
  std::size_t max_bytes = std::size_t{8} << 20U;  // of everything kept, the plans apart; 64 KiB to 1 GiB

  Problems validate() const;
};

// The records of the last calls. Thread-safe: one mutex, held while one record is copied. The first call that is kept
// reserves all its memory, later ones allocate nothing; pages are in use once records have filled them, and then the
// oldest make room. Where there is no memory nothing is kept.
class Explanations final : public CallObserver {
 public:
  // Throws InvalidOptions.
  explicit Explanations(const ExplanationOptions& options = {});

  // A record that does not fit even alone is not kept.
  void keep(const CallId& id, const std::shared_ptr<const Plan>& plan, const CallRecord& record);
  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override {
    keep(id, plan, record);
  }

  struct Kept {
    CallId id;
    std::shared_ptr<const Plan> plan;
    CallRecord record;

    std::string text() const { return explain(record, *plan); }
  };
  // The latest call of that id.
  std::optional<Kept> find(std::string_view id) const;
  // The latest first.
  std::vector<Kept> latest(std::size_t most) const;

  std::size_t size() const;

 private:
  // Where one record lies in bytes_: never across the end.
  struct Entry {
    CallId id;
    std::shared_ptr<const Plan> plan;
    std::size_t offset = 0;
    std::size_t size = 0;
  };

  // False: there is no memory.
  bool reserve_locked() FUSEBOARD_REQUIRES(mutex_);
  Kept read_locked(const Entry& entry) const FUSEBOARD_REQUIRES(mutex_);
  std::size_t make_room_locked(std::size_t size) FUSEBOARD_REQUIRES(mutex_);
  void drop_oldest_locked() FUSEBOARD_REQUIRES(mutex_);
  // The i-th latest.
  const Entry& entry_locked(std::size_t i) const FUSEBOARD_REQUIRES(mutex_);

  const std::size_t most_entries_;
  const std::size_t most_bytes_;
  mutable Mutex mutex_;
  std::vector<Entry> entries_ FUSEBOARD_GUARDED_BY(mutex_);          // a ring once it has most_entries_
  std::unique_ptr<std::byte[]> bytes_ FUSEBOARD_GUARDED_BY(mutex_);  // a ring of records
  std::size_t next_ FUSEBOARD_GUARDED_BY(mutex_) = 0;                // in entries_
  std::size_t count_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::size_t free_from_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // in bytes_
};

}  // namespace fuseboard
