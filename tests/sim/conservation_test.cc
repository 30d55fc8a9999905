// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A million random calls in virtual time, under faults, answers that break off, cancellations, callers that leave,
// drivers that die and senders that throw (as their drivers report it): what is granted is settled, and no bound is
// passed [PIP-7, BRK-6, LIM-1, LIM-5.1, BUD-2, RTY-6.1].

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/cache/memory_store.h"
#include "fuseboard/pipeline/blocking.h"
#include "sim/simulated_call.h"

namespace fuseboard::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kCalls = 1'000'000;
constexpr std::size_t kTargets = 4;
constexpr double kRequestsPerMinute = 6000.0;
constexpr double kBurst = 50.0;
constexpr std::uint32_t kConcurrency = 20;
constexpr std::uint64_t kTokenCap = 60'000;  // for some hundred calls

// A bound on what may happen in any interval: at most burst + rate * t, checked as the bucket that it is.
class RateCheck {
 public:
  RateCheck(double rate, double burst) : rate_(rate), burst_(burst), level_(burst) {}
  // Whether one more at `now` is within it.
  bool add(TimePoint now) {
    level_ = std::min(burst_, level_ + rate_ * static_cast<double>(elapsed(last_, now).count()) / 1e9);
    last_ = now;
    level_ -= 1.0;
    return level_ > -1e-3;
  }

 private:
  double rate_;
  double burst_;
  double level_;
  TimePoint last_{};
};

class Chaos final : public CallWorld, public CallObserver {
 public:
  Chaos() : time_(clock_), breakers_(breaker_options(), clock_, 1), ledger_(budgets()) {
    for (std::size_t i = 0; i < kTargets; ++i) {
      credentials_.push_back(std::make_shared<CredentialGate>("credential"));
      make_target(i);
    }
    for (std::size_t i = 0; i < 16; ++i) plans_.push_back(make_plan());
  }

  void run() {
    for (std::uint64_t i = 0; i < kCalls; ++i) {
      time_.at(saturating_add(time_.now(), milliseconds(static_cast<std::int64_t>(rng_.below(12)))),
               [this] { begin(); });
      // The next call begins when the ones before it have come so far.
      while (begun_ <= i && time_.step()) {
      }
    }
    time_.run();
  }

  SimulatedAttempt meet(const Plan& plan, const Attempt& attempt) override {
    ++attempts_;
    const std::size_t target = index_of(plan.targets()[attempt.target].name);
    within_rate_ = within_rate_ && rate_checks_[target].add(time_.now());
    TargetState& state = *states_[target];
    within_concurrency_ = within_concurrency_ && state.limits()->snapshot(time_.now()).in_flight <= kConcurrency;
    // Usage is never above the estimate by more than a call's, so the reserved part alone has to be within the cap.
    within_budget_ = within_budget_ && ledger_.snapshot(0).levels.front().reserved.tokens <= kTokenCap;
    one_probe_ = one_probe_ && breakers_.snapshot(plan.targets()[attempt.target].name).probes_in_flight <= 1;
    return simulated_attempt(target, attempt.recovery);
  }

  void call_ended(const CallId&, const std::shared_ptr<const Plan>& plan, const CallRecord& record) noexcept override {
    ++ended_;
    ++endings_[record.ending];
    const std::uint32_t cap = plan->options().max_total_attempts;
    within_cap_ = within_cap_ && record.attempts_sent <= cap;
    bool committed = false;
    for (const AttemptRecord& attempt : record.attempts) {
      mends_what_began_ = mends_what_began_ && (!attempt.recovery || committed);
      committed = committed || attempt.first_content.has_value();
    }
    const bool may_follow =
        record.ending == Ending::success || record.ending == Ending::cancelled || record.ending == Ending::interrupted;
    ends_as_it_may_ = ends_as_it_may_ && (!committed || may_follow);
    const bool from_an_attempt = record.ending == Ending::success && !record.attempts.empty();  // not from the cache
    if (from_an_attempt && record.attempts.back().recovery) ++mended_;
  }

  void expect_conservation() {
    EXPECT_EQ(begun_, kCalls);
    EXPECT_EQ(ended_ + died_, kCalls);
    EXPECT_TRUE(within_rate_) << "LIM-1";
    EXPECT_TRUE(within_concurrency_) << "LIM-5.1";
    EXPECT_TRUE(one_probe_) << "BRK-6";
    EXPECT_TRUE(within_cap_) << "RTY-6.1";
    EXPECT_TRUE(within_budget_) << "BUD-2";
    EXPECT_TRUE(mends_what_began_) << "STR-5.2";
    EXPECT_TRUE(ends_as_it_may_) << "STR-5.10";
    EXPECT_TRUE(asks_who_can_) << "FBK-7.2";
    EXPECT_LT(endings_[Ending::budget_exceeded], kCalls / 3) << "too few calls went through the ledger";
    std::uint64_t admitted = 0;
    for (const BreakerSnapshot& breaker : breakers_.snapshot()) {
      EXPECT_EQ(breaker.in_flight, 0U);
      EXPECT_EQ(breaker.probes_in_flight, 0U);
      const BreakerTotals& totals = breaker.totals;
      EXPECT_EQ(totals.admitted,
                totals.succeeded + totals.failed + totals.throttled + totals.neutral + totals.abandoned);
      if (breaker.key.view() == KeyView("provider")) continue;
      EXPECT_GT(breaker.times_opened, 20U) << "the faults were too gentle to prove anything";
      admitted += totals.admitted;
    }
    EXPECT_GE(admitted, attempts_);
    for (std::size_t i = 0; i < kTargets; ++i) expect_nothing_held(*states_[i]);
    for (const BudgetLevelSnapshot& level : ledger_.snapshot().levels) {
      EXPECT_EQ(level.open_reservations, 0U);
      EXPECT_EQ(level.reserved, BudgetSpend{});
    }
    EXPECT_EQ(flights_.snapshot().flights, 0U);
    EXPECT_EQ(flights_.snapshot().waiters, 0U);
    for (const Ending ending : {Ending::success, Ending::failed, Ending::retries_exhausted, Ending::deadline_exceeded,
                                Ending::cancelled, Ending::circuit_open, Ending::rate_limited, Ending::interrupted,
                                Ending::budget_exceeded, Ending::no_target}) {
      EXPECT_GT(endings_[ending], 100U) << name(ending) << " hardly ever happened";
    }
    EXPECT_GT(flights_.snapshot().shared, 100U);
    EXPECT_GT(hedged_, 100U);
    EXPECT_GT(mended_, 100U);
  }

 private:
  static BreakerOptions breaker_options() {
    BreakerOptions options = provider_preset();
    options.open_time = OpenTime::fixed(seconds(2));
    return options;
  }
  static BudgetOptions budgets() {
    return {.global = {.tokens = kTokenCap}, .session = {.rounds = 100}, .max_sessions = 8};
  }

  void make_target(std::size_t i) {
    const std::string name(1, static_cast<char>('a' + i));
    const TargetStateOptions options{
        .limits = {.requests_per_minute = kRequestsPerMinute, .requests_burst = kBurst, .concurrency = kConcurrency},
        .adaptive_rate = i == 0 ? std::optional(AdaptiveLimiterOptions{.rate = {.rate = 80}}) : std::nullopt,
        .adaptive_concurrency = AdaptiveBulkheadOptions{},
        .queue = {.capacity = 64, .max_wait = seconds(i % 2)}};
    states_.push_back(std::make_shared<TargetState>(BreakerScopes{breakers_.handle("provider"), breakers_.handle(name)},
                                                    options, name, credentials_[i / 2], i + 1));
    rate_checks_.emplace_back(kRequestsPerMinute / 60.0, kBurst);
  }

  std::shared_ptr<const Plan> make_plan() {
    std::vector<Target> targets;
    const std::size_t count = 1 + rng_.below(kTargets);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t target = (i + rng_.below(kTargets)) % kTargets;
      const std::string name(1, static_cast<char>('a' + target));
      targets.push_back({.name = name,
                         .state = states_[target],
                         .traits = {.credential = static_cast<std::uint32_t>(1 + target / 2),
                                    .context_window = 1000 * (1 + target)}});
    }
    PlanOptions options;
    options.retry = {.max_attempts = 1 + static_cast<std::uint32_t>(rng_.below(4)), .base = milliseconds(20)};
    options.overall_deadline = milliseconds(static_cast<std::int64_t>(60 + rng_.below(3000)));
    options.max_total_attempts = 1 + static_cast<std::uint32_t>(rng_.below(8));
    options.strategy = static_cast<Strategy>(rng_.below(3));
    options.max_recovery_wait = seconds(static_cast<std::int64_t>(rng_.below(3)));
    if (rng_.below(2) == 0) options.hedge = HedgeOptions{.after = milliseconds(50)};
    return std::make_shared<const Plan>("chaos", std::move(targets), std::move(options));
  }

  // Which targets can take a call.
  struct Allowed final : Eligibility {
    bool can_take(std::uint32_t target) noexcept override { return ((targets >> target) & 1U) != 0; }
    std::uint64_t targets = ~std::uint64_t{0};
  };

  // One call and what it needs as long as it lives.
  struct Running {
    Allowed allowed;
    std::optional<CacheSession> session;
    std::string who;
    std::shared_ptr<SimulatedCall> call;
  };

  void begin() {
    ++begun_;
    if (begun_ % 500 == 0) ledger_.reset_all();  // a new period
    auto running = std::make_shared<Running>();
    running->who = "session " + std::to_string(rng_.below(6));
    const auto& plan = plans_[rng_.below(plans_.size())];
    CallOptions options{.streaming = rng_.below(2) == 0,
                        .idempotent = rng_.below(4) != 0,
                        .priority = static_cast<Priority>(rng_.below(kPriorityCount)),
                        .estimate = {.input = rng_.below(500), .output = rng_.below(500)},
                        .ledger = rng_.below(3) == 0 ? nullptr : &ledger_,
                        .account = {.session = running->who}};
    if (rng_.below(8) == 0) {
      std::vector<CacheKey> keys(plan->targets().size());
      for (std::size_t i = 0; i < keys.size(); ++i) keys[i].bytes[0] = static_cast<std::uint8_t>(i + 1);
      keys[0].bytes[1] = static_cast<std::uint8_t>(rng_.below(4));
      running->session.emplace(cache_, &flights_, std::move(keys),
                               CacheDecision{.lookup = true, .share = true, .store = false}, seconds(1));
      options.cache = &*running->session;
    }
    if (rng_.below(4) == 0) {
      running->allowed.targets = rng_.below(std::uint64_t{1} << kTargets);
      options.eligibility = &running->allowed;
    }
    running->call = SimulatedCall::begin(time_, *this, plan, options, rng_, this);
    watch(running);
  }

  // What happens to the call from outside: its end is noted, its caller may leave, its driver may die.
  void watch(const std::shared_ptr<Running>& running) {
    const std::uint64_t what = rng_.below(20);
    const TimePoint later = saturating_add(time_.now(), milliseconds(static_cast<std::int64_t>(rng_.below(300))));
    if (what == 0) {
      time_.at(later, [this, running] {
        if (!running->call->done()) ++died_;
        running->call.reset();
      });
    } else if (what == 1) {
      time_.at(later, [this, running] {
        running->call->leave();
        await_end(running);
      });
    } else {
      await_end(running);
    }
  }

  void await_end(const std::shared_ptr<Running>& running) {
    if (!running->call->done()) {
      time_.at(saturating_add(time_.now(), milliseconds(25)), [this, running] { await_end(running); });
      return;
    }
    const CallRecord& record = running->call->record();
    if (record.hedged) ++hedged_;
    for (const AttemptRecord& attempt : record.attempts)
      asks_who_can_ = asks_who_can_ && running->allowed.can_take(attempt.target);
    if (running->session && record.ending == Ending::success && record.cache == CacheUse::miss) {
      running->session->complete(*record.served_by, answer_, {.succeeded = true, .complete = true});
    }
  }

  SimulatedAttempt simulated_attempt(std::size_t target, bool recovery) {
    // Each target is ill for a while now and then, so that circuits open and close.
    const auto second = static_cast<std::size_t>(time_.now().time_since_epoch() / seconds(1));
    const bool ill = (second / 3 + target) % 5 == 0;
    SimulatedAttempt planned{.report = {.outcome = Outcome::success(), .answered = true, .may_have_run = true},
                             .takes = milliseconds(static_cast<std::int64_t>(1 + rng_.below(120)))};
    if (rng_.below(3) == 0) planned.first_content = planned.takes / 2;
    if (rng_.below(2) == 0) planned.report.usage = TokenUsage{.input = rng_.below(900), .output = rng_.below(900)};
    const std::uint64_t luck = rng_.below(100);
    if (luck < (ill ? 85U : 6U)) {
      Failure failure = Failure::of(static_cast<Category>(rng_.below(kCategoryCount)));
      if (ill) failure = Failure::of(rng_.below(2) == 0 ? Category::service_unavailable : Category::network);
      if (rng_.below(4) == 0) failure.retry_after = milliseconds(static_cast<std::int64_t>(rng_.below(400)));
      // Without a hint a credential is parked for a minute, and hardly a call would be sent.
      if (failure.category == Category::authentication || failure.category == Category::quota_exhausted)
        failure.retry_after = seconds(static_cast<std::int64_t>(rng_.below(4)));
      planned.report.outcome = Outcome::failed(failure);
      planned.report.connected = rng_.below(3) != 0;
      planned.report.may_have_run = planned.report.connected && rng_.below(2) == 0;
      planned.report.silent = rng_.below(4) == 0;
      if (rng_.below(3) != 0) planned.report.recovery = any_recovery();
    } else if (recovery && rng_.below(8) == 0) {
      planned.report.unusable = true;
      if (rng_.below(3) != 0) planned.report.recovery = any_recovery();
    } else if (luck < 90 && rng_.below(40) == 0) {
      planned.report.outcome = Outcome::failed(Failure::of(Category::execution_error));
    }
    return planned;
  }

  StreamRecovery any_recovery() { return {.prefer = rng_.below(std::uint64_t{1} << kTargets)}; }

  static std::size_t index_of(const std::string& name) { return static_cast<std::size_t>(name[0] - 'a'); }

  void expect_nothing_held(TargetState& state) {
    EXPECT_EQ(state.queue().size(), 0U);
    EXPECT_EQ(state.latency().in_flight(), 0U);
    EXPECT_EQ(state.limits()->snapshot(time_.now()).in_flight, 0U);
    EXPECT_EQ(state.adaptive_concurrency()->in_flight(), 0U);
    EXPECT_FALSE(state.credential()->snapshot(time_.now()).probe_in_flight);
  }

  ManualClock clock_;
  VirtualTime time_;
  Rng rng_{20261121};
  BreakerRegistry breakers_;
  BudgetLedger ledger_;
  ResponseCache cache_{std::make_shared<MemoryCacheStore>(MemoryCacheOptions{}, clock_)};
  SingleFlight flights_;
  const CachedResponsePtr answer_ = std::make_shared<const CachedResponse>();
  std::vector<std::shared_ptr<CredentialGate>> credentials_;
  std::vector<std::shared_ptr<TargetState>> states_;
  std::vector<RateCheck> rate_checks_;
  std::vector<std::shared_ptr<const Plan>> plans_;
  std::map<Ending, std::uint64_t> endings_;
  std::uint64_t begun_ = 0;
  std::uint64_t ended_ = 0;
  std::uint64_t died_ = 0;
  std::uint64_t attempts_ = 0;
  std::uint64_t hedged_ = 0;
  std::uint64_t mended_ = 0;
  bool within_rate_ = true;
  bool within_concurrency_ = true;
  bool one_probe_ = true;
  bool within_cap_ = true;
  bool within_budget_ = true;
  bool mends_what_began_ = true;
  bool ends_as_it_may_ = true;
  bool asks_who_can_ = true;
};

// PIP-7, BRK-6, LIM-1, LIM-5.1, BUD-2, RTY-6.1, CCH-4, STR-5.2, STR-5.10
TEST(Conservation, HoldsOverAMillionRandomCalls) {
  Chaos chaos;
  chaos.run();
  chaos.expect_conservation();
}

}  // namespace
}  // namespace fuseboard::sim
