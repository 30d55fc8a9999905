// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/call_observers.h"

namespace fuseboard {

void CallObservers::add(CallObserver& observer) {
  const MutexLock lock(mutex_);
  observers_.push_back(&observer);
}

void CallObservers::call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                               const CallRecord& record) noexcept {
  std::size_t next = 0;
  for (;;) {
    CallObserver* observer = nullptr;
    {
      const MutexLock lock(mutex_);
      if (next < observers_.size()) observer = observers_[next++];
    }
    if (observer == nullptr) return;
    observer->call_ended(id, plan, record);
  }
}

}  // namespace fuseboard
