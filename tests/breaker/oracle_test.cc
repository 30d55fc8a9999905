// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The state machine against a naive model of the rules, on random histories [BRK-1.1 to BRK-14, BRK-21.1, BRK-21.2].
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

// What a call comes to, and what the model makes of it.
struct End {
  Verdict verdict = Verdict::success;
  std::optional<Duration> hint{};
  Duration latency = 0s;
};

// Written from the rules, not from the code: one thread, no cleverness, everything recomputed.
class Model {
 public:
  struct Permit {
    std::uint64_t generation = 0;
    bool probe = false;
    int id = 0;
  };
  struct Forced {
    OverrideKind kind;
    std::optional<TimePoint> until;
  };

  Model(TimePoint now, const BreakerOptions& first_options)
      : options(first_options), now_(now), base_(first_options.open_time.initial) {}

  void advance(Duration d) { now_ += d; }

  std::optional<Permit> acquire(Duration lease) {
    lose_override();
    if (forced && forced->kind == OverrideKind::force_closed) return grant({});
    if (forced && forced->kind == OverrideKind::force_open) return reject();
    lose_overdue_probes();
    notice_stuck_calls();
    if (state == CircuitState::open && now_ >= deadline) begin_half_open();
    const std::uint32_t settled = options.half_open_failure_rate ? successes_ + failures_ : 0;
    const bool rejected = state == CircuitState::open ||
                          (state == CircuitState::half_open && probes.size() + settled >= options.half_open_max_probes);
    if (rejected && !forced) return reject();
    if (rejected) return grant({});
    const Permit permit = grant({.generation = generation, .probe = state == CircuitState::half_open});
    if (permit.probe) probes[permit.id] = now_ + lease;
    return permit;
  }

  void settle(const Permit& permit, const End& end) {
    count(end.verdict);
    judge(permit, end);
  }

  void abandon(const Permit& permit) {
    ++totals.abandoned;
    judge(permit, {.verdict = options.abandoned_is_failure ? Verdict::failure : Verdict::neutral});
  }

  void first_content(Permit& permit, Duration latency) {
    if (!permit.probe) return;
    lose_overdue_probes();
    if (permit.generation == generation) {
      const bool counts = probes.contains(permit.id) && !is_slow({.latency = latency});
      judge_evidence(permit, {.verdict = Verdict::success, .latency = latency});
      if (counts && state != CircuitState::open) permit.generation = generation;
      if (!counts) permit.generation = 0;
    }
    permit.probe = false;
  }

  void report(const End& end) {
    ++totals.reported;
    count(end.verdict);
    if (state == CircuitState::closed) {
      judge({.generation = generation, .id = -1}, end);
    } else if (end.verdict == Verdict::failure) {
      lose_overdue_probes();
    }
  }

  // Fewer probes may decide now, or one that failed before.
  void apply(const BreakerOptions& given) {
    options = given;
    if (state != CircuitState::half_open) return;
    if (options.half_open_failure_rate) return decide(now_);
    if (failures_ > 0) reopen(now_);
  }

  bool trip_by_hand() {
    lose_override();
    lose_overdue_probes();
    if (state == CircuitState::open && now_ < deadline) return false;
    if (state == CircuitState::open) ++generation;  // half-open, for a moment
    if (state == CircuitState::closed) {
      trip(now_);
    } else {
      open_until(now_ + base_);
    }
    return true;
  }
  bool half_open_by_hand() {
    lose_override();
    lose_overdue_probes();
    if (state != CircuitState::open) return false;
    begin_half_open();
    return true;
  }

  void reset() {
    close(now_);
    base_ = options.open_time.initial;
  }

  void force(OverrideKind kind, std::optional<Duration> ttl) {
    lose_override();
    change_override(Forced{.kind = kind, .until = ttl ? std::optional(now_ + *ttl) : std::nullopt});
  }
  bool lift() {
    lose_override();
    const bool there = forced.has_value();
    if (there) change_override(std::nullopt);
    return there;
  }

  // What a snapshot judges.
  void look_around() {
    lose_override();
    notice_stuck_calls();
  }

  WindowTotals window() const {
    WindowTotals in_window;
    const auto part = [this](TimePoint t) {
      return t.time_since_epoch() / (options.window.time / options.window.buckets);
    };
    for (std::size_t i = 0; i < evidence_.size(); ++i) {
      const bool inside = options.window.is_time() ? part(evidence_[i].at) + options.window.buckets > part(now_)
                                                   : i + options.window.calls >= evidence_.size();
      if (!inside) continue;
      ++in_window.calls;
      in_window.failures += evidence_[i].failed ? 1 : 0;
      in_window.slow += evidence_[i].slow ? 1 : 0;
    }
    return in_window;
  }
  std::optional<Duration> oldest() const {
    std::optional<Duration> age;
    for (const auto& [id, call] : calls_) age = std::max(age.value_or(0s), now_ - call.began);
    return age;
  }

  BreakerOptions options;
  CircuitState state = CircuitState::closed;
  std::uint64_t generation = 1;
  std::uint32_t consecutive = 0;
  TimePoint deadline{};
  std::map<int, TimePoint> probes;
  std::optional<Forced> forced;
  BreakerTotals totals;
  std::uint64_t denials = 0;
  std::uint64_t times_opened = 0;

 private:
  struct Call {
    TimePoint began;
    std::uint64_t generation;
  };
  struct Seen {
    TimePoint at;
    bool failed;
    bool slow;
  };

  Permit grant(Permit permit) {
    ++totals.admitted;
    permit.id = next_id_++;
    if (options.tracks_calls()) calls_[permit.id] = {.began = now_, .generation = permit.generation};
    return permit;
  }
  std::nullopt_t reject() {
    ++denials;
    return std::nullopt;
  }

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

  void judge(const Permit& permit, const End& end) {
    calls_.erase(permit.id);
    if (permit.probe || end.verdict == Verdict::failure) lose_overdue_probes();
    if (permit.generation == generation) judge_evidence(permit, end);
  }

  void judge_evidence(const Permit& permit, const End& end) {
    if (permit.probe && probes.erase(permit.id) == 0) return;  // lost before
    if (end.verdict == Verdict::failure && end.hint) not_before_ = std::max(not_before_, now_ + capped(*end.hint));
    if (state == CircuitState::closed) {
      judge_closed(end);
    } else if (state == CircuitState::half_open) {
      if (end.verdict == Verdict::failure) {
        if (!permit.probe) --successes_;
        return fail_probe(now_);
      }
      if (!permit.probe) return;
      if (end.verdict == Verdict::success && is_slow(end)) return fail_probe(now_);
      if (end.verdict == Verdict::throttled) open_until(now_ + (end.hint ? capped(*end.hint) : base_));
      if (end.verdict != Verdict::success) return;
      ++successes_;
      if (options.half_open_failure_rate) return decide(now_);
      if (successes_ >= options.half_open_successes) close(now_);
    }
  }

  bool is_slow(const End& end) const { return options.slow_call_rate && end.latency > options.slow_call_duration; }

  void judge_closed(const End& end) {
    if (end.verdict != Verdict::failure && end.verdict != Verdict::success) return;
    const bool failed = end.verdict == Verdict::failure;
    const bool run_goes_on = consecutive > 0 && (!options.failure_run_expires_after ||
                                                 now_ - run_began_ <= *options.failure_run_expires_after);
    if (failed && !run_goes_on) run_began_ = now_;
    consecutive = !failed ? 0 : run_goes_on ? consecutive + 1 : 1;
    if (!failed) not_before_ = TimePoint::min();
    evidence_.push_back({.at = now_, .failed = failed, .slow = end.latency > options.slow_call_duration});
    const WindowTotals held = window();
    const bool enough = held.calls >= options.minimum_calls;
    const bool in_a_row = options.failure_threshold > 0 && consecutive >= options.failure_threshold;
    const bool trips = (failed && in_a_row) || (failed && too_many_failures()) ||
                       (enough && options.failure_rate && held.failure_rate() >= *options.failure_rate) ||
                       (enough && options.slow_call_rate && held.slow_call_rate() >= *options.slow_call_rate);
    if (trips) trip(now_);
  }

  bool too_many_failures() const {
    if (!options.failures_within) return false;
    std::uint32_t lately = 0;
    for (const Seen& seen : evidence_) {
      if (seen.failed && seen.at >= now_ - options.failures_within->time) ++lately;
    }
    return lately >= options.failures_within->failures;
  }

  void notice_stuck_calls() {
    if (!options.stuck_call_age || state != CircuitState::closed) return;
    if (forced && forced->kind == OverrideKind::force_closed) return;
    const bool stuck = std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
      return entry.second.generation == generation && now_ - entry.second.began > *options.stuck_call_age;
    });
    if (stuck) trip(now_);
  }

  void lose_override() {
    if (forced && forced->until && now_ >= *forced->until) change_override(std::nullopt);
  }
  void change_override(std::optional<Forced> to) {
    if (forced && forced->kind == OverrideKind::force_closed) {
      for (auto& [id, call] : calls_) call.generation = 0;  // no evidence for being stuck
    }
    forced = to;
  }

  void lose_overdue_probes() {
    while (state == CircuitState::half_open && !probes.empty()) {
      const auto first = std::ranges::min_element(probes, {}, [](const auto& probe) { return probe.second; });
      if (first->second > now_) return;
      const TimePoint at = first->second;
      probes.erase(first);
      fail_probe(at);
    }
  }

  void trip(TimePoint at) {
    if (now_ - closed_since_ >= options.growth_forgotten_after()) base_ = options.open_time.initial;
    open_until(at + base_);
  }
  void fail_probe(TimePoint at) {
    ++consecutive;
    ++failures_;
    if (options.half_open_failure_rate) return decide(at);
    reopen(at);
  }
  void decide(TimePoint at) {
    const std::uint32_t settled = successes_ + failures_;
    if (settled < options.half_open_max_probes) return;
    if (static_cast<double>(failures_) / static_cast<double>(settled) >= *options.half_open_failure_rate)
      return reopen(at);
    close(at);
  }
  void reopen(TimePoint at) {
    base_ =
        std::min(Duration(static_cast<Duration::rep>(static_cast<double>(base_.count()) * options.open_time.factor)),
                 options.open_time.max);
    open_until(at + base_);
  }

  void begin_half_open() {
    state = CircuitState::half_open;
    ++generation;
    successes_ = failures_ = 0;
  }

  void open_until(TimePoint until) {
    state = CircuitState::open;
    ++generation;
    ++times_opened;
    probes.clear();
    deadline = std::max({deadline, until, not_before_});
  }

  void close(TimePoint at) {
    state = CircuitState::closed;
    ++generation;
    consecutive = 0;
    deadline = TimePoint::min();
    not_before_ = TimePoint::min();
    probes.clear();
    evidence_.clear();
    closed_since_ = at;
  }

  Duration capped(Duration hint) const { return std::min(hint, options.retry_after_max); }

  TimePoint now_;
  Duration base_;
  TimePoint closed_since_{};
  TimePoint not_before_ = TimePoint::min();
  TimePoint run_began_{};
  std::uint32_t successes_ = 0;
  std::uint32_t failures_ = 0;  // of probes
  int next_id_ = 0;
  std::map<int, Call> calls_;
  std::vector<Seen> evidence_;
};

struct Held {
  BreakerPermit real;
  Model::Permit model;
};

Outcome outcome_of(const End& end) {
  const auto failure = [&](Category category) { return Outcome::failed(Failure::of(category, end.hint), end.latency); };
  switch (end.verdict) {
    case Verdict::success:
      return Outcome::success(end.latency);
    case Verdict::failure:
      return failure(Category::overloaded);
    case Verdict::throttled:
      return failure(Category::rate_limit);
    case Verdict::neutral:
      return failure(Category::invalid_request);
  }
  return {};
}

void expect_agreement(CircuitBreaker& breaker, Model& model) {
  const BreakerSnapshot snapshot = breaker.snapshot();
  model.look_around();
  RC_ASSERT(snapshot.state == model.state);
  RC_ASSERT(snapshot.generation == model.generation);
  RC_ASSERT(snapshot.consecutive_failures == model.consecutive);
  RC_ASSERT(snapshot.probes_in_flight == model.probes.size());
  RC_ASSERT(snapshot.times_opened == model.times_opened);
  RC_ASSERT(snapshot.denials == model.denials);
  RC_ASSERT(snapshot.totals == model.totals);
  RC_ASSERT(snapshot.oldest_in_flight == model.oldest());
  RC_ASSERT(snapshot.override_in_force.has_value() == model.forced.has_value());
  if (model.options.has_rate_rule()) RC_ASSERT(*snapshot.window == model.window());
}

// Failures and probes are what moves it, so they come more often.
End any_end() {
  return {.verdict = *rc::gen::weightedElement<Verdict>(
              {{4, Verdict::failure}, {4, Verdict::success}, {1, Verdict::neutral}, {1, Verdict::throttled}}),
          .hint = *rc::gen::weightedElement<std::optional<Duration>>({{6, std::nullopt}, {1, 0s}, {1, 3s}, {1, 30s}}),
          .latency = *rc::gen::element<Duration>(1ns, 1s, 1s + 1ns)};
}

std::optional<FailuresWithin> any_failures_within() {
  return *rc::gen::weightedElement<std::optional<FailuresWithin>>({{3, std::nullopt},
                                                                   {1, FailuresWithin{.failures = 2, .time = 1s}},
                                                                   {1, FailuresWithin{.failures = 3, .time = 2s}},
                                                                   {1, FailuresWithin{.failures = 4, .time = 30s}}});
}

BreakerOptions any_options() {
  BreakerOptions options = {
      .failure_threshold = *rc::gen::weightedElement<std::uint32_t>({{1, 0}, {1, 1}, {2, 2}, {2, 3}, {3, 1000}}),
      .failure_run_expires_after = *rc::gen::element<std::optional<Duration>>(std::nullopt, 500ms, 2s),
      .failures_within = any_failures_within(),
      .failure_rate = *rc::gen::element<std::optional<double>>(std::nullopt, 0.3, 0.5, 1.0),
      .slow_call_rate = *rc::gen::element<std::optional<double>>(std::nullopt, 0.5, 0.9),
      .slow_call_duration = 1s,
      .minimum_calls = *rc::gen::inRange(1U, 6U),
      .window = *rc::gen::element(CallWindow::last_calls(5), CallWindow::last_calls(8), CallWindow::last(4s, 4),
                                  CallWindow::last(1s, 1)),
      .stuck_call_age = *rc::gen::weightedElement<std::optional<Duration>>({{3, std::nullopt}, {1, 3s}}),
      .track_in_flight = *rc::gen::arbitrary<bool>(),
      .half_open_max_probes = *rc::gen::inRange(1U, 5U),
      .half_open_successes = *rc::gen::inRange(1U, 4U),
      .half_open_failure_rate =
          *rc::gen::weightedElement<std::optional<double>>({{3, std::nullopt}, {1, 0.3}, {1, 0.5}, {1, 1.0}}),
      .open_time = OpenTime::exponential(2s, *rc::gen::element(1.0, 2.0), 7s),
      .retry_after_max = 10s,
      .probe_lease = 3s,
      .abandoned_is_failure = *rc::gen::arbitrary<bool>(),
  };
  if (!options.has_other_trip_rule()) options.failure_threshold = std::max(options.failure_threshold, 1U);
  return options;
}

// Options that leave the shapes of what is kept alone, to be applied to a live breaker.
BreakerOptions other_options(const BreakerOptions& now) {
  BreakerOptions options = any_options();
  options.window = now.window;
  options.failure_rate = now.failure_rate ? 0.4 : now.failure_rate;
  options.slow_call_rate = now.slow_call_rate;
  options.stuck_call_age = now.stuck_call_age;
  options.track_in_flight = now.track_in_flight;
  options.open_time = now.open_time;
  options.failures_within = now.failures_within;
  if (options.failures_within) options.failures_within->time = *rc::gen::element<Duration>(1s, 2s, 30s);
  if (!options.has_other_trip_rule()) options.failure_threshold = std::max(options.failure_threshold, 1U);
  return options;
}

RC_GTEST_PROP(CircuitBreakerOracle, AgreesWithTheRulesOnRandomHistories, ()) {
  const BreakerOptions options = any_options();
  ManualClock clock;
  CircuitBreaker breaker(options, "key", clock, 1);
  Model model(clock.now(), options);
  std::vector<Held> held;
  std::uint64_t sequence = 0;
  bool in_order = true;
  const auto subscription =
      breaker.subscribe([&](const BreakerEvent& e) { in_order = in_order && e.sequence == ++sequence; });
  const auto any_held = [&] {
    return held.begin() + static_cast<std::ptrdiff_t>(*rc::gen::inRange<std::size_t>(0, held.size()));
  };
  const auto drop_held = [&] {
    while (!held.empty()) {
      model.abandon(held.back().model);
      held.pop_back();
    }
  };

  const int steps = *rc::gen::inRange(1, 150);
  for (int step = 0; step < steps; ++step) {
    bool judge = true;
    switch (*rc::gen::weightedElement<int>(
        {{8, 0}, {8, 1}, {1, 2}, {1, 3}, {2, 4}, {4, 5}, {1, 6}, {1, 7}, {1, 8}, {1, 9}, {1, 10}, {1, 11}})) {
      case 0: {
        const Duration lease = *rc::gen::element<Duration>(1s, 3s);
        const auto looked = breaker.peek_rejection();
        // In two halves it comes to the same [PIP-2].
        const bool in_halves = *rc::gen::arbitrary<bool>();
        const auto turned_away = in_halves ? breaker.reject_if_open() : std::nullopt;
        auto permit = turned_away ? std::expected<BreakerPermit, Rejection>(std::unexpect, *turned_away)
                                  : breaker.try_acquire(lease);
        if (in_halves && !turned_away) RC_ASSERT(permit.has_value());
        const auto expected = model.acquire(lease);
        RC_ASSERT(permit.has_value() == expected.has_value());
        RC_ASSERT(looked.has_value() == !permit.has_value());
        if (permit) {
          RC_ASSERT(permit->is_probe() == expected->probe);
          RC_ASSERT(permit->generation() == expected->generation);
          held.push_back({std::move(*permit), *expected});
        } else {
          RC_ASSERT(looked->reason == permit.error().reason);
          RC_ASSERT(looked->retry_after == permit.error().retry_after);
          if (permit.error().retry_after) RC_ASSERT(*permit.error().retry_after > Duration::zero());
          if (model.forced) {
            RC_ASSERT(permit.error().retry_after.has_value() == model.forced->until.has_value());
            if (model.forced->until) RC_ASSERT(clock.now() + *permit.error().retry_after == *model.forced->until);
          } else if (permit.error().reason == RejectionReason::circuit_open) {
            RC_ASSERT(clock.now() + *permit.error().retry_after == model.deadline);
          }
        }
        break;
      }
      case 1: {
        if (held.empty()) break;
        const auto it = any_held();
        const End end = any_end();
        std::move(it->real).settle(outcome_of(end));
        model.settle(it->model, end);
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
        const Duration latency = *rc::gen::element<Duration>(1ms, 1s, 1s + 1ns);
        it->real.first_content(latency);
        model.first_content(it->model, latency);
        break;
      }
      case 4: {
        const End end = any_end();
        breaker.report(outcome_of(end));
        model.report(end);
        break;
      }
      case 5: {
        const Duration d = *rc::gen::element<Duration>(1ns, 500ms, 1s, 2s, 2s + 1ns, 4s, 30s);
        clock.advance(d);
        model.advance(d);
        judge = *rc::gen::arbitrary<bool>();  // else the next admission is the one to notice
        break;
      }
      case 6:
        breaker.reset();
        model.reset();
        break;
      case 7: {
        const OverrideKind kind =
            *rc::gen::element(OverrideKind::force_open, OverrideKind::force_closed, OverrideKind::metrics_only);
        const auto ttl = *rc::gen::element<std::optional<Duration>>(std::nullopt, 1s, 3s);
        breaker.set_override(kind, "a reason", ttl);
        model.force(kind, ttl);
        break;
      }
      case 8:
        RC_ASSERT(breaker.lift_override() == model.lift());
        break;
      case 9:
        RC_ASSERT(breaker.trip() == model.trip_by_hand());
        break;
      case 10:
        RC_ASSERT(breaker.half_open() == model.half_open_by_hand());
        break;
      default:
        model.apply(other_options(model.options));
        breaker.apply(model.options);
    }
    if (!judge) continue;
    expect_agreement(breaker, model);
    RC_ASSERT(breaker.snapshot().in_flight == held.size());
  }
  RC_ASSERT(in_order);

  // From every reachable state, finite time admits a probe [BRK-8.6].
  RC_ASSERT(breaker.lift_override() == model.lift());
  if (options.stuck_call_age) drop_held();
  clock.advance(kMaxProbeLease + 2 * options.open_time.longest());
  model.advance(kMaxProbeLease + 2 * options.open_time.longest());
  RC_ASSERT(breaker.peek_rejection() == std::nullopt);
  auto permit = breaker.try_acquire(1s);
  const auto expected = model.acquire(1s);
  RC_ASSERT(permit.has_value() && expected.has_value());
  std::move(*permit).settle(Outcome::success());
  model.settle(*expected, {});
  drop_held();  // late reports, or those of a circuit that is closed
  expect_agreement(breaker, model);
  RC_ASSERT(breaker.snapshot().in_flight == 0U);
}

}  // namespace
}  // namespace fuseboard
