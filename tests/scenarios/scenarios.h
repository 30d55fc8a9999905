// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One set of calls for every driver [PIP-4]: what each attempt will meet, and the way that the call must take. A
// driver's test runs each scenario and compares the trace, so that no two drivers can decide differently.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/cache/memory_store.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard::scenarios {

// What one attempt meets. An attempt takes `takes` of virtual time.
struct ScriptedAttempt {
  std::optional<Failure> failure{};  // nullopt: a good answer
  Duration takes = std::chrono::milliseconds(10);
  bool silent = false;
  // For drivers that mend streams: when its content begins, and what its report says of going on elsewhere.
  std::optional<Duration> first_content{};
  std::optional<StreamRecovery> recovery{};

  AttemptReport report() const;
};

// How the cache's store answers.
enum class StoreAnswers : std::uint8_t {
  at_once,
  within_get,  // by way of its reply, before it returns
  later,       // after 20 ms
  with_error_later,
  never,
  throws,
};

struct Scenario {
  std::string name;
  std::vector<std::string> targets;
  PlanOptions plan;
  CallOptions call;
  Duration caller_deadline = kForever;  // from the start
  BreakerOptions breaker = provider_preset();
  TargetStateOptions state{};         // of each target
  std::vector<RouteTraits> traits{};  // by target; the rest have the default ones
  std::vector<std::string> open;      // circuits that are open at the start
  std::vector<std::string> drained;   // targets whose limit of requests is used up at the start
  std::vector<std::string> cannot{};  // targets that cannot take the call
  std::optional<BudgetOptions> budget{};
  std::optional<std::uint32_t> shared_attempts{};  // an attempt budget
  bool cached = false;  // the call may use the cache, which holds an answer of the last target
  StoreAnswers store = StoreAnswers::at_once;
  bool hedges = false;                      // only for drivers that can have two attempts in flight
  bool mends = false;                       // only for drivers that mend streams
  std::vector<ScriptedAttempt> encounters;  // of the attempts in order; the last one repeats
  std::vector<std::string> trace;           // "a", "wait 500ms", "mend b", ..., then the ending
};

const std::vector<Scenario>& all();

// The world of one run: a clock that only drivers move, fresh policies.
class Stage final : private Eligibility {
 public:
  explicit Stage(const Scenario& scenario);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Notes the attempt. What it meets.
  const ScriptedAttempt& send(const Attempt& attempt);
  // The same for drivers that have one attempt at a time: the clock has moved to its end.
  const ScriptedAttempt& meet(const Attempt& attempt);
  // Notes a wait that has passed in full.
  void waited(Duration wait);
  // Notes a wait and moves the clock to its end. What is to happen before cuts it short: that happens, and no wait has
  // passed in full.
  void wait_until(TimePoint time);
  // How things happen later, for drivers that have a loop; else wait_until() sees to it.
  using Schedule = std::function<void(TimePoint, std::function<void()>)>;
  void on_later(Schedule schedule) { schedule_ = std::move(schedule); }
  void end(Ending ending) { trace_.push_back(std::string(name(ending))); }

  std::shared_ptr<const Plan> plan() const { return plan_; }
  const CallOptions& call() const { return call_; }
  ManualClock& clock() { return clock_; }
  Rng& rng() { return rng_; }
  const std::vector<std::string>& trace() const { return trace_; }
  // Everything that was granted and not settled, over all targets and policies [PIP-7].
  std::uint64_t outstanding();

 private:
  class Store;

  bool can_take(std::uint32_t target) noexcept override;
  void add_targets();
  void add_cache();

  const Scenario& scenario_;
  ManualClock clock_;
  Rng rng_{1};
  BreakerRegistry breakers_;
  std::map<std::uint32_t, std::shared_ptr<CredentialGate>> credentials_;
  std::optional<BudgetLedger> ledger_;
  std::optional<AttemptBudget> shared_attempts_;
  std::optional<ResponseCache> cache_;
  std::optional<CacheSession> session_;
  std::shared_ptr<const Plan> plan_;
  CallOptions call_;
  std::vector<std::string> trace_;
  std::multimap<TimePoint, std::function<void()>> events_;
  Schedule schedule_ = [this](TimePoint time, std::function<void()> event) { events_.emplace(time, std::move(event)); };
};

}  // namespace fuseboard::scenarios
