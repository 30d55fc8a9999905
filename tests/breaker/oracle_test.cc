// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The state machine against a naive model of the rules, on random histories [BRK-1 to BRK-12, BRK-21].
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "fuseboard/breaker/circuit_breaker.h"
#include "tests/breaker/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Written from the rules, not from the code: one thread, no cleverness, everything recomputed.
class Model {
 public:
  struct Permit {
    std::uint64_t generation = 0;
    bool probe = false;
    int id = 0;
  };

  Model(const BreakerOptions& options, TimePoint now)
      : options_(options), now_(now), base_(options.open_time.initial) {}

  void advance(Duration d) { now_ += d; }

  std::optional<Permit> acquire(Duration lease) {
    lose_overdue_probes();
    if (state == CircuitState::open && now_ >= deadline) {
      state = CircuitState::half_open;
      ++generation;
      successes_ = 0;
    }
    const bool refused = state == CircuitState::open ||
                         (state == CircuitState::half_open && probes.size() >= options_.half_open_max_probes);
    if (refused) {
      ++denials;
      return std::nullopt;
    }
    ++totals.admitted;
    Permit permit{.generation = generation, .probe = state == CircuitState::half_open, .id = next_id_++};
    if (permit.probe) probes[permit.id] = now_ + lease;
    return permit;
  }

  void settle(const Permit& permit, Verdict verdict) {
    count(verdict);
    judge(permit, verdict);
  }

  void abandon(const Permit& permit) {
    ++totals.abandoned;
    judge(permit, options_.abandoned_is_failure ? Verdict::failure : Verdict::neutral);
  }

  void first_content(Permit& permit) {
    if (!permit.probe) return;
    lose_overdue_probes();
    const bool current = permit.generation == generation;
    if (current) {
      judge(permit, Verdict::success);
      permit.generation = generation;
    }
    permit.probe = false;
  }

  void report(Verdict verdict) {
    ++totals.reported;
    count(verdict);
    if (state == CircuitState::closed) {
      judge({.generation = generation}, verdict);
    } else if (verdict == Verdict::failure) {
      lose_overdue_probes();
    }
  }

  void reset() {
    state = CircuitState::closed;
    ++generation;
    consecutive = 0;
    probes.clear();
    base_ = options_.open_time.initial;
    closed_since_ = now_;
  }

  CircuitState state = CircuitState::closed;
  std::uint64_t generation = 1;
  std::uint32_t consecutive = 0;
  TimePoint deadline{};
  std::map<int, TimePoint> probes;
  BreakerTotals totals;
  std::uint64_t denials = 0;
  std::uint64_t times_opened = 0;

 private:
  void count(Verdict verdict) {
    switch (verdict) {
      case Verdict::success:
        ++totals.succeeded;
        break;
      case Verdict::failure:
        ++totals.failed;
        break;
      case Verdict::throttled:
        ++totals.throttled;
        break;
      case Verdict::neutral:
        ++totals.neutral;
        break;
    }
  }

  void judge(const Permit& permit, Verdict verdict) {
    if (permit.probe || verdict == Verdict::failure) lose_overdue_probes();
    if (permit.generation != generation) return;
    if (permit.probe) probes.erase(permit.id);
    if (state == CircuitState::closed) {
      if (verdict == Verdict::success) consecutive = 0;
      if (verdict == Verdict::failure && ++consecutive >= options_.failure_threshold) {
        if (now_ - closed_since_ >= options_.growth_forgotten_after()) base_ = options_.open_time.initial;
        open(now_);
      }
    } else if (state == CircuitState::half_open) {
      if (verdict == Verdict::failure) fail_probe(now_);
      if (verdict == Verdict::success && permit.probe && ++successes_ >= options_.half_open_successes) {
        state = CircuitState::closed;
        ++generation;
        consecutive = 0;
        probes.clear();
        closed_since_ = now_;
      }
    }
  }

  void lose_overdue_probes() {
    if (state != CircuitState::half_open) return;
    TimePoint first = kNever;
    for (const auto& [id, end] : probes) first = std::min(first, end);
    if (first <= now_) fail_probe(first);
  }

  void fail_probe(TimePoint at) {
    ++consecutive;
    base_ =
        std::min(Duration(static_cast<Duration::rep>(static_cast<double>(base_.count()) * options_.open_time.factor)),
                 options_.open_time.max);
    open(at);
  }

  void open(TimePoint at) {
    state = CircuitState::open;
    ++generation;
    ++times_opened;
    probes.clear();
    deadline = at + base_;
  }

  const BreakerOptions options_;
  TimePoint now_;
  Duration base_;
  TimePoint closed_since_{};
  std::uint32_t successes_ = 0;
  int next_id_ = 0;
};

struct Held {
  BreakerPermit real;
  Model::Permit model;
};

Outcome outcome_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::success:
      return Outcome::success();
    case Verdict::failure:
      return failed(Category::overloaded);
    case Verdict::throttled:
      return failed(Category::rate_limit);
    case Verdict::neutral:
      return failed(Category::invalid_request);
  }
  return {};
}

void expect_agreement(CircuitBreaker& breaker, const Model& model) {
  const BreakerSnapshot snapshot = breaker.snapshot();
  RC_ASSERT(snapshot.state == model.state);
  RC_ASSERT(snapshot.generation == model.generation);
  RC_ASSERT(snapshot.consecutive_failures == model.consecutive);
  RC_ASSERT(snapshot.probes_in_flight == model.probes.size());
  RC_ASSERT(snapshot.times_opened == model.times_opened);
  RC_ASSERT(snapshot.denials == model.denials);
  RC_ASSERT(snapshot.totals == model.totals);
}

RC_GTEST_PROP(CircuitBreakerOracle, AgreesWithTheRulesOnRandomHistories, ()) {
  const BreakerOptions options = {
      .failure_threshold = *rc::gen::inRange(1U, 4U),
      .half_open_max_probes = *rc::gen::inRange(1U, 4U),
      .half_open_successes = *rc::gen::inRange(1U, 4U),
      .open_time = OpenTime::exponential(2s, *rc::gen::element(1.0, 2.0), 7s),
      .probe_lease = 3s,
      .abandoned_is_failure = *rc::gen::arbitrary<bool>(),
  };
  ManualClock clock;
  CircuitBreaker breaker(options, "key", clock, 1);
  Model model(options, clock.now());
  std::vector<Held> held;
  std::uint64_t sequence = 0;
  bool in_order = true;
  const auto subscription =
      breaker.subscribe([&](const BreakerEvent& e) { in_order = in_order && e.sequence == ++sequence; });
  const auto any_held = [&] {
    return held.begin() + static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, held.size()));
  };
  // Failures and probes are what moves it, so they come more often.
  const auto any_verdict = rc::gen::weightedElement<Verdict>(
      {{4, Verdict::failure}, {3, Verdict::success}, {1, Verdict::neutral}, {1, Verdict::throttled}});

  const int steps = *rc::gen::inRange(1, 120);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::weightedElement<int>({{6, 0}, {6, 1}, {1, 2}, {1, 3}, {2, 4}, {4, 5}, {1, 6}})) {
      case 0: {
        const Duration lease = *rc::gen::element<Duration>(1s, 3s);
        const auto looked = breaker.look();
        auto permit = breaker.try_acquire(lease);
        const auto expected = model.acquire(lease);
        RC_ASSERT(permit.has_value() == expected.has_value());
        RC_ASSERT(looked.has_value() == !permit.has_value());
        if (permit) {
          RC_ASSERT(permit->is_probe() == expected->probe);
          held.push_back({std::move(*permit), *expected});
        } else {
          RC_ASSERT(looked->reason == permit.error().reason);
          RC_ASSERT(looked->retry_after == permit.error().retry_after);
          RC_ASSERT(permit.error().retry_after > Duration::zero());
          if (permit.error().reason == RejectionReason::circuit_open) {
            RC_ASSERT(clock.now() + *permit.error().retry_after == model.deadline);
          }
        }
        break;
      }
      case 1: {
        if (held.empty()) break;
        const auto it = any_held();
        const Verdict verdict = *any_verdict;
        std::move(it->real).settle(outcome_of(verdict));
        model.settle(it->model, verdict);
        held.erase(it);
        break;
      }
      case 2: {
        if (held.empty()) break;
        const auto it = any_held();
        model.abandon(it->model);
        {
          const BreakerPermit dropped = std::move(it->real);
        }
        held.erase(it);
        break;
      }
      case 3: {
        if (held.empty()) break;
        const auto it = any_held();
        it->real.first_content(1ms);
        model.first_content(it->model);
        break;
      }
      case 4: {
        const Verdict verdict = *any_verdict;
        breaker.report(outcome_of(verdict));
        model.report(verdict);
        break;
      }
      case 5: {
        const Duration d = *rc::gen::element<Duration>(1ns, 500ms, 1s, 2s, 2s + 1ns, 4s, 30s);
        clock.advance(d);
        model.advance(d);
        break;
      }
      default:
        breaker.reset();
        model.reset();
    }
    expect_agreement(breaker, model);
    RC_ASSERT(breaker.snapshot().in_flight == held.size());
  }
  RC_ASSERT(in_order);

  // From every reachable state, finite time admits a probe [BRK-8].
  clock.advance(kMaxProbeLease + 2 * options.open_time.longest());
  model.advance(kMaxProbeLease + 2 * options.open_time.longest());
  RC_ASSERT(breaker.look() == std::nullopt);
  auto permit = breaker.try_acquire(1s);
  const auto expected = model.acquire(1s);
  RC_ASSERT(permit.has_value() && expected.has_value());
  std::move(*permit).settle(Outcome::success());
  model.settle(*expected, Verdict::success);
  while (!held.empty()) {  // late reports, or those of a circuit that is closed
    model.abandon(held.back().model);
    held.pop_back();
  }
  expect_agreement(breaker, model);
  RC_ASSERT(breaker.snapshot().in_flight == 0U);
}

}  // namespace
}  // namespace fuseboard
