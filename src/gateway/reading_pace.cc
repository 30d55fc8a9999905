// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/reading_pace.h"

#include "fuseboard/core/deadline.h"

namespace fuseboard::gateway {

void ReadingPace::wrote(TimePoint began, TimePoint ended) noexcept {
  const Duration took = elapsed(began, ended);
  paused_ = saturating_add(paused_, took);
  unheard_ = saturating_add(unheard_, took);
  if (took < kPause) return;
  if (elapsed(run_end_, began) > kAftermath) run_ = Duration::zero();
  run_ = saturating_add(run_, took);
  run_end_ = ended;
}

bool ReadingPace::likely_gave_up(TimePoint now) const noexcept {
  return run_ >= kGiveUpAfter && elapsed(run_end_, now) <= kAftermath;
}

}  // namespace fuseboard::gateway
