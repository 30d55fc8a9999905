// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How well a caller keeps up with its stream. While it does not read, nobody listens to the upstream either [STR-8], so
// that time is held against no limit of the attempt, and what it breaks is not the target's doing [STR-3].
#pragma once

#include <chrono>

#include "fuseboard/core/time.h"

namespace fuseboard::gateway {

class ReadingPace {
 public:
  // What was handed to the caller was taken between these two times.
  void wrote(TimePoint began, TimePoint ended) noexcept;
  // The upstream has said something that counts as life.
  void heard() noexcept { unheard_ = Duration::zero(); }

  // In which nobody listened to the upstream: in all, and since it was last heard.
  Duration paused() const noexcept { return paused_; }
  Duration unheard() const noexcept { return unheard_; }

  // Whether the upstream has just been left unread for so long that servers commonly give up writing: if it breaks off
  // now, that says nothing about it.
  bool likely_gave_up(TimePoint now) const noexcept;

  static constexpr Duration kGiveUpAfter = std::chrono::seconds(10);
  // What was sent before the upstream gave up is still to be read when the caller goes on.
  static constexpr Duration kAftermath = std::chrono::seconds(5);
  // What is shorter is the time that writing takes.
  static constexpr Duration kPause = std::chrono::milliseconds(10);

 private:
  Duration paused_ = Duration::zero();
  Duration unheard_ = Duration::zero();
  Duration run_ = Duration::zero();  // of pauses that follow one another closely
  TimePoint run_end_{};
};

}  // namespace fuseboard::gateway
