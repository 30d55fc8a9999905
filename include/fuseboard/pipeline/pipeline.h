// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where calls of one kind begin: the plan of the moment, and who is told of calls that have ended.
//
//   Pipeline pipeline(plan);
//   pipeline.watch(breakers);
//   auto result = pipeline.run(send);              // as fuseboard::run()
//   pipeline.swap(new_plan);                       // for calls that begin from now on [PIP-5]
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/events.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/blocking.h"
#include "fuseboard/pipeline/explanation.h"

namespace fuseboard {

// Thread-safe. Must outlive its calls.
class Pipeline {
 public:
  // `plan` is not null.
  explicit Pipeline(std::shared_ptr<const Plan> plan);

  std::shared_ptr<const Plan> plan() const;
  // Calls under way keep the plan that they began with. `plan` is not null.
  void swap(std::shared_ptr<const Plan> plan);

  // Wakes calls that wait for a circuit when an operator closes it; what calls themselves find out wakes them anyway.
  // Takes the place of the registry watched before. The pipeline may go before the registry or after it.
  void watch(BreakerRegistry& breakers);

  // Adds to those who are told of every call that ends, on its driver's thread. It must outlive the pipeline.
  void add_observer(CallObserver& observer) { observers_.add(observer); }

  // Runs one call under the plan of the moment; see fuseboard::run(). What `environment` observes is replaced by this
  // pipeline's observers.
  template <typename Send>
  auto run(Send&& send, const CallOptions& options = {}, Environment environment = Environment::process(),
           const std::stop_token& stop = {}) {
    environment.observer = &observers_;
    return fuseboard::run(plan(), std::forward<Send>(send), options, environment, stop);
  }

  // For drivers that run() does not serve: what a call's end is to be told to.
  CallObserver& observer() noexcept { return observers_; }

  // Of the calls that named themselves, by CallOptions::id, and of the others, whose id is empty.
  Explanations& explanations() noexcept { return explanations_; }

 private:
  void on_breaker_event(const BreakerEvent& event) const;

  mutable Mutex mutex_;
  std::shared_ptr<const Plan> plan_ FUSEBOARD_GUARDED_BY(mutex_);
  Explanations explanations_;
  CallObservers observers_;
  Subscription watching_ FUSEBOARD_GUARDED_BY(mutex_);  // last: it ends before what its listener uses is gone
};

}  // namespace fuseboard
