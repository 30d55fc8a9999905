// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The attempts of one call that are under way, with the permits they hold.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "fuseboard/core/check.h"
#include "fuseboard/pipeline/admission.h"
#include "fuseboard/pipeline/record.h"
#include "fuseboard/pipeline/step.h"

namespace fuseboard::engine {

struct AttemptState {
  AttemptPermits permits;
  AttemptRecord record;
  TimePoint cut_at = kNever;               // where the call's deadline ends it before its own limits do
  TimePoint halfway = kNever;              // where a plain call leaves the rest of its deadline to another target
  std::optional<TimePoint> alone_until{};  // when its patience ends; nullopt: nobody has looked yet
  bool outlasted = false;                  // its patience is over
  bool counted = false;                    // among those that may make its target silent

  bool has_shown_something() const noexcept { return record.first_sign || record.first_content; }
};

// At most kMaxConcurrentAttempts; one that is in flight stays where it is until erase().
class AttemptsInFlight {
 public:
  using Slot = std::optional<AttemptState>;

  bool empty() const noexcept { return std::ranges::none_of(slots_, &Slot::has_value); }
  bool full() const noexcept { return std::ranges::all_of(slots_, &Slot::has_value); }
  bool asks(std::uint32_t target) const noexcept {
    return std::ranges::any_of(slots_, [&](const Slot& slot) { return slot && slot->record.target == target; });
  }

  AttemptState* find(std::uint32_t number) noexcept {
    for (Slot& slot : slots_) {
      if (slot && slot->record.number == number) return &*slot;
    }
    return nullptr;
  }
  const AttemptState* find(std::uint32_t number) const noexcept {
    for (const Slot& slot : slots_) {
      if (slot && slot->record.number == number) return &*slot;
    }
    return nullptr;
  }

  AttemptState& add() noexcept {
    const auto free = std::ranges::find_if_not(slots_, &Slot::has_value);
    check_invariant(free != slots_.end(), "a call has at most kMaxConcurrentAttempts attempts in flight");
    return free->emplace();
  }
  void erase(AttemptState& attempt) noexcept {
    for (Slot& slot : slots_) {
      if (slot && &*slot == &attempt) return slot.reset();
    }
  }

  // All places, free ones among them. erase() of the attempt at hand is allowed in between.
  std::span<Slot> slots() noexcept { return slots_; }
  std::span<const Slot> slots() const noexcept { return slots_; }

 private:
  std::array<Slot, kMaxConcurrentAttempts> slots_;
};

}  // namespace fuseboard::engine
