// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long the calls of one target take while it is well: what AdaptiveBulkhead measures slowness by [LIM-8.2].
//
// An average of the last calls alone would follow a target that has become slow, and after some hundred calls slowness
// would be usual. So there are two measures, and the lower one counts:
//
// - the average of the last `window` calls: it follows a faster target within some tens of calls;
// - the long run: it goes towards that average, but it doubles in no less than `doubles_in`, and halves in no less than
//   a sixth of that.
//
// Where TCP Vegas (Brakmo, Peterson, 1995) keeps the shortest time ever seen, BBR (Cardwell et al., 2016) and Envoy's
// adaptive concurrency measure the unloaded time anew every so often: that costs throughput each time, and a
// measurement amid an incident takes the incident for the baseline. A bound on the pace needs no measurement. Six hours
// a doubling is more than the daily swing of a target that takes twice as long by day as by night, a seventh of an
// octave an hour at most, and an hour's incident moves it by an eighth.
#pragma once

#include <algorithm>
#include <cstdint>

#include "fuseboard/core/time.h"
#include "fuseboard/limit/saved_limits.h"

namespace fuseboard {

// The first calls are averaged evenly, as in Netflix's ExpAvgMeasurement: one odd first call is not "usual".
inline constexpr std::uint32_t kWarmUpSamples = 10;
// So many make a long run. Until then it is the average: a few untypical first calls (probes, answers from a cache)
// would hold the limit down for hours.
inline constexpr std::uint32_t kLongRunSamples = 100;

// Not thread-safe. Never allocates.
class LatencyBaseline {
 public:
  // A call that ended now and took so many nanoseconds, above 0. Time without calls is no evidence: of the time since
  // the last one a minute counts at most.
  void add(TimePoint now, double taken, std::uint32_t window, Duration doubles_in) noexcept;

  // Nanoseconds; 0 before the first call.
  double usual() const noexcept { return std::min(average_, long_run_); }
  bool known() const noexcept { return samples_ > 0; }

  SavedLatency save() const noexcept;
  // Nothing where no latency was saved. A long run is at least a 64th of what was usual.
  void restore(const SavedLatency& saved) noexcept;

 private:
  std::uint32_t samples_ = 0;  // up to kLongRunSamples
  double average_ = 0.0;
  double recent_ = 0.0;  // of the last ten or so
  double long_run_ = 0.0;
  TimePoint last_ = TimePoint::min();
};

}  // namespace fuseboard
