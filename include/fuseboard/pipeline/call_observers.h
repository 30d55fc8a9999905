// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who is told of calls that have ended: metrics, logs, explanations, exports.
#pragma once

#include <memory>
#include <vector>

#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard {

// Told of every call when it has ended, on its driver's thread.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                          const CallRecord& record) noexcept = 0;
};

// Tells each of its observers, in the order in which they came. Thread-safe; none of them is called under its lock.
class CallObservers final : public CallObserver {
 public:
  // `observer` must outlive this.
  void add(CallObserver& observer);

  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override;

 private:
  Mutex mutex_;
  std::vector<CallObserver*> observers_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
