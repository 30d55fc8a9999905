// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Counts the calls of a pipeline [TEL-1].
//
//   ExecutionStats stats;
//   CallStats counted(stats);
//   pipeline.add_observer(counted);
//   counted.watch(breakers);
#pragma once

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/events.h"
#include "fuseboard/pipeline/execution.h"
#include "fuseboard/telemetry/execution_stats.h"

namespace fuseboard::telemetry {

// What a call's record comes to. Answers put into the cache are not in it: that happens after the call's end. Whoever
// keeps one counts Event::cache_stored.
ExecutionSummary summary_of(const CallRecord& record) noexcept;

// Thread-safe. The statistics must outlive it.
class CallStats final : public CallObserver {
 public:
  explicit CallStats(ExecutionStats& stats) noexcept : stats_(stats) {}

  // Counts the circuits' transitions, of this registry in place of the one before. Not thread-safe. The registry may go
  // before it or after it.
  void watch(BreakerRegistry& breakers);

  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override;

 private:
  ExecutionStats& stats_;
  Subscription watching_;
};

}  // namespace fuseboard::telemetry
