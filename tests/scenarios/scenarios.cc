// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/scenarios/scenarios.h"

#include <algorithm>

#include "fuseboard/core/validation.h"

namespace fuseboard::scenarios {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

PlanOptions tries(std::uint32_t attempts, std::uint32_t total = 8) {
  return {.retry = {.max_attempts = attempts, .jitter = Jitter::none}, .max_total_attempts = total};
}

Encounter good() { return {}; }
Encounter bad(Category category, std::optional<Duration> hint = {}) { return {.failure = Failure::of(category, hint)}; }
Encounter silence(Duration takes) {
  return {.failure = Failure::of(Category::timeout), .takes = takes, .silent = true};
}

}  // namespace

const std::vector<Scenario>& all() {
  static const std::vector<Scenario> scenarios = {
      {.name = "a good answer", .targets = {"a", "b"}, .encounters = {good()}, .trace = {"a", "success"}},
      {.name = "one failure, then well",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {bad(Category::service_unavailable), good()},
       .trace = {"a", "wait 500ms", "a", "success"}},
      {.name = "retries, then the fallback",
       .targets = {"a", "b"},
       .plan = tries(2),
       .encounters = {bad(Category::network), bad(Category::network), good()},
       .trace = {"a", "wait 500ms", "a", "b", "success"}},
      {.name = "a hint replaces the backoff",
       .targets = {"a"},
       .plan = tries(2),
       .encounters = {bad(Category::rate_limit, seconds(3)), good()},
       .trace = {"a", "wait 3s", "a", "success"}},
      {.name = "a hint beyond the deadline leaves for the fallback",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {bad(Category::rate_limit, minutes(10)), good()},
       .trace = {"a", "b", "success"}},
      {.name = "a bad request ends at once",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {bad(Category::invalid_request)},
       .trace = {"a", "failed"}},
      {.name = "an open circuit is passed by",
       .targets = {"a", "b"},
       .plan = tries(4),
       .open = {"a"},
       .encounters = {good()},
       .trace = {"b", "success"}},
      {.name = "everything open",
       .targets = {"a", "b"},
       .plan = tries(4),
       .open = {"a", "b"},
       .encounters = {good()},
       .trace = {"circuit_open"}},
      {.name = "the cap ends it",
       .targets = {"a", "b"},
       .plan = tries(2, 3),
       .encounters = {bad(Category::overloaded)},
       .trace = {"a", "wait 500ms", "a", "b", "retries_exhausted"}},
      {.name = "silence leaves the target",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {silence(seconds(5)), good()},
       .trace = {"a", "b", "success"}},
      {.name = "the deadline passes during an attempt",
       .targets = {"a", "b"},
       .plan = tries(4),
       .caller_deadline = seconds(2),
       .encounters = {silence(seconds(2))},
       .trace = {"a", "deadline_exceeded"}},
      {.name = "no wait that does not fit",
       .targets = {"a"},
       .plan = tries(4),
       .caller_deadline = milliseconds(800),
       .encounters = {bad(Category::network)},
       .trace = {"a", "wait 500ms", "a", "retries_exhausted"}},
      {.name = "a tool that may have run is not run twice",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.idempotent = false},
       .encounters = {bad(Category::network)},
       .trace = {"a", "failed"}},
  };
  return scenarios;
}

Stage::Stage(const Scenario& scenario)
    : scenario_(scenario), breakers_(provider_preset(), clock_, 1), call_(scenario.call) {
  std::vector<Target> targets;
  for (const std::string& target : scenario.targets) {
    targets.push_back(
        {.name = target, .state = std::make_shared<TargetState>(BreakerScopes{breakers_.handle(target)})});
  }
  for (const std::string& target : scenario.open) {
    while (!breakers_.look(target)) breakers_.report(target, Outcome::failed(Failure::of(Category::network)));
  }
  plan_ = std::make_shared<const Plan>(scenario.name, std::move(targets), scenario.plan);
  call_.deadline = Deadline::after(clock_.now(), scenario.caller_deadline);
}

const Encounter& Stage::meet(const Attempt& attempt) {
  trace_.push_back(plan_->targets()[attempt.target].name);
  const std::size_t index = std::min<std::size_t>(attempt.number, scenario_.encounters.size()) - 1;
  const Encounter& encounter = scenario_.encounters[index];
  clock_.advance(encounter.takes);
  return encounter;
}

void Stage::wait_until(TimePoint time) {
  trace_.push_back("wait " + to_text(elapsed(clock_.now(), time)));
  clock_.advance_to(time);
}

std::uint64_t Stage::in_flight() const {
  std::uint64_t in_flight = 0;
  for (const BreakerSnapshot& breaker : breakers_.snapshot()) in_flight += breaker.in_flight;
  return in_flight;
}

}  // namespace fuseboard::scenarios
