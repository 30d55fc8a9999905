// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One set of calls for every driver [PIP-4]: what each attempt will meet, and the way that the call must take. A
// driver's test runs each scenario and compares the trace, so that no two drivers can decide differently.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard::scenarios {

// What one attempt meets. An attempt takes `takes` of virtual time.
struct Encounter {
  std::optional<Failure> failure{};  // nullopt: a good answer
  Duration takes = std::chrono::milliseconds(10);
  bool silent = false;
};

struct Scenario {
  std::string name;
  std::vector<std::string> targets;
  PlanOptions plan;
  CallOptions call;
  Duration caller_deadline = kForever;  // from the start
  std::vector<std::string> open;        // circuits that are open at the start
  std::vector<Encounter> encounters;    // of the attempts in order; the last one repeats
  std::vector<std::string> trace;       // "a", "wait 500ms", "b", ..., then the ending
};

const std::vector<Scenario>& all();

// The world of one run: standing clock, fresh breakers. Drivers move the clock through waits and attempts.
class Stage {
 public:
  explicit Stage(const Scenario& scenario);

  // What attempt number `number` meets; advances the clock by what it takes.
  const Encounter& meet(const Attempt& attempt);
  // Notes a wait and moves the clock to its end.
  void wait_until(TimePoint time);
  void end(Ending ending) { trace_.push_back(std::string(name(ending))); }

  std::shared_ptr<const Plan> plan() const { return plan_; }
  CallOptions call() const { return call_; }
  ManualClock& clock() { return clock_; }
  Rng& rng() { return rng_; }
  const std::vector<std::string>& trace() const { return trace_; }
  // Permits granted and not settled, over all targets [PIP-7].
  std::uint64_t in_flight() const;

 private:
  const Scenario& scenario_;
  ManualClock clock_;
  Rng rng_{1};
  BreakerRegistry breakers_;
  std::shared_ptr<const Plan> plan_;
  CallOptions call_;
  std::vector<std::string> trace_;
};

}  // namespace fuseboard::scenarios
