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

// Without patience: a driver that runs one attempt at a time takes the same way then.
constexpr PatienceOptions kNoCompany{.enabled = false};
PlanOptions tries(std::uint32_t attempts, std::uint32_t total = 8) {
  return {
      .retry = {.max_attempts = attempts, .jitter = Jitter::none}, .patience = kNoCompany, .max_total_attempts = total};
}

ScriptedAttempt good() { return {}; }
ScriptedAttempt bad(Category category, std::optional<Duration> hint = {}) {
  return {.failure = Failure::of(category, hint)};
}
ScriptedAttempt silence(Duration takes) {
  return {.failure = Failure::of(Category::timeout), .takes = takes, .silent = true};
}
// An answer that breaks off after it has begun; `prefer` is of its recovery.
ScriptedAttempt broken(std::uint64_t prefer) {
  return {.failure = Failure::of(Category::network),
          .first_content = milliseconds(5),
          .recovery = StreamRecovery{.prefer = prefer}};
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
       .targets = {"a"},
       .plan = tries(4),
       .caller_deadline = seconds(2),
       .encounters = {silence(seconds(2))},
       .trace = {"a", "deadline_exceeded"}},
      {.name = "no wait that does not fit",
       .targets = {"a"},
       .plan = tries(4),
       .caller_deadline = milliseconds(800),
       .encounters = {bad(Category::network)},
       .trace = {"a", "wait 500ms", "a", "deadline_exceeded"}},
      {.name = "a tool that may have run is not run twice",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.idempotent = false},
       .encounters = {bad(Category::network)},
       .trace = {"a", "failed"}},
      // Recovery and admission.
      {.name = "a recovery within ten seconds is waited for",
       .targets = {"a", "b"},
       .plan = tries(4),
       .breaker = {.open_time = OpenTime::fixed(seconds(8))},
       .open = {"a", "b"},
       .encounters = {good()},
       .trace = {"wait 8s", "a", "success"}},
      {.name = "no recovery is waited for beyond the deadline",
       .targets = {"a"},
       .plan = tries(4),
       .caller_deadline = seconds(5),
       .breaker = {.open_time = OpenTime::fixed(seconds(8))},
       .open = {"a"},
       .encounters = {good()},
       .trace = {"circuit_open"}},
      {.name = "the circuit that this call opened is waited for",
       .targets = {"a"},
       .plan = tries(4),
       .breaker = {.failure_threshold = 1, .open_time = OpenTime::fixed(seconds(3))},
       .encounters = {bad(Category::network), good()},
       .trace = {"a", "wait 3s", "a", "success"}},
      {.name = "recoveries are not waited for where the plan says so",
       .targets = {"a"},
       .plan = {.max_recovery_wait = {}},
       .breaker = {.open_time = OpenTime::fixed(seconds(8))},
       .open = {"a"},
       .encounters = {good()},
       .trace = {"circuit_open"}},
      {.name = "a target at its limit is passed by",
       .targets = {"a", "b"},
       .plan = tries(4),
       .state = {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}},
       .drained = {"a"},
       .encounters = {good()},
       .trace = {"b", "success"}},
      {.name = "a call at every limit is told so",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.priority = Priority::critical},
       .state = {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}},
       .drained = {"a", "b"},
       .encounters = {good()},
       .trace = {"rate_limited"}},
      {.name = "a call may wait for a token",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.priority = Priority::critical},
       .state = {.limits = {.requests_per_minute = 60.0, .requests_burst = 1.0}, .queue = {.max_wait = seconds(5)}},
       .drained = {"a", "b"},
       .encounters = {good()},
       .trace = {"wait 1s", "a", "success"}},
      {.name = "a server's word closes the gate for the next try",
       .targets = {"a"},
       .plan = {.retry = {.max_attempts = 4, .jitter = Jitter::none, .honor_retry_after = false}},
       .encounters = {bad(Category::rate_limit, seconds(3)), good()},
       .trace = {"a", "wait 500ms", "retries_exhausted"}},
      // Budgets.
      {.name = "no round is left",
       .targets = {"a", "b"},
       .plan = tries(4),
       .budget = BudgetOptions{.global = {.rounds = 2}},
       .encounters = {bad(Category::network)},
       .trace = {"a", "wait 500ms", "a", "wait 1s", "retries_exhausted"}},
      {.name = "an estimate above the cap is sent nowhere",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.estimate = {.input = 1000, .output = 1000}},
       .budget = BudgetOptions{.global = {.tokens = 1500}},
       .encounters = {good()},
       .trace = {"budget_exceeded"}},
      {.name = "several calls share their attempts",
       .targets = {"a", "b"},
       .plan = tries(2),
       .shared_attempts = 3,
       .encounters = {bad(Category::network)},
       .trace = {"a", "wait 500ms", "a", "b", "wait 500ms", "retries_exhausted"}},
      {.name = "a retry budget that is spent leads to the fallback",
       .targets = {"a", "b"},
       .plan = tries(4),
       .state = {.retry_budget = {.ratio = 0.0, .min_per_second = 0}},
       .encounters = {bad(Category::network), good()},
       .trace = {"a", "b", "success"}},
      // Routing.
      {.name = "a refused credential rules out who shares it",
       .targets = {"a", "b", "c"},
       .plan = tries(4),
       .traits = {{.credential = 1}, {.credential = 1}, {.credential = 2}},
       .encounters = {bad(Category::authentication), good()},
       .trace = {"a", "c", "success"}},
      {.name = "what is too long goes to a larger window",
       .targets = {"a", "b", "c"},
       .plan = tries(4),
       .traits = {{.context_window = 8000}, {.context_window = 4000}, {.context_window = 200'000}},
       .encounters = {bad(Category::context_length_exceeded), good()},
       .trace = {"a", "c", "success"}},
      {.name = "a call bound to a provider's state stays there",
       .targets = {"a", "b", "c"},
       .plan = tries(1),
       .call = {.bound_to_provider = 7},
       .traits = {{.provider = 1}, {.provider = 7}, {.provider = 2}},
       .encounters = {bad(Category::overloaded)},
       .trace = {"b", "retries_exhausted"}},
      {.name = "a call bound to a provider that is not there",
       .targets = {"a"},
       .plan = tries(1),
       .call = {.bound_to_provider = 7},
       .encounters = {good()},
       .trace = {"no_target"}},
      {.name = "each category has its own patience",
       .targets = {"a", "b"},
       .plan = {.retry = {.max_attempts = 4, .jitter = Jitter::none},
                .retry_by_category = {{Category::network,
                                       {.max_attempts = 2, .base = seconds(2), .jitter = Jitter::none}}}},
       .encounters = {bad(Category::network), bad(Category::network), good()},
       .trace = {"a", "wait 2s", "a", "b", "success"}},
      {.name = "a target that cannot take the call is passed by",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cannot = {"a"},
       .encounters = {good()},
       .trace = {"b", "success"}},
      {.name = "where nobody can take the call nothing is sent",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cannot = {"a", "b"},
       .encounters = {good()},
       .trace = {"no_target"}},
      {.name = "a target that cannot take the call is none to leave a silent one for",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cannot = {"b"},
       .encounters = {silence(seconds(5)), good()},
       .trace = {"a", "wait 500ms", "a", "success"}},
      // The cache.
      {.name = "a stored answer asks nobody",
       .targets = {"a", "b"},
       .plan = tries(4),
       .open = {"a", "b"},
       .cached = true,
       .encounters = {good()},
       .trace = {"success"}},
      {.name = "a stored answer that comes later asks nobody either",
       .targets = {"a", "b"},
       .plan = tries(4),
       .open = {"a", "b"},
       .cached = true,
       .store = StoreAnswers::later,
       .encounters = {good()},
       .trace = {"success"}},
      {.name = "one that is there before the store has said so is found",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cached = true,
       .store = StoreAnswers::within_get,
       .encounters = {good()},
       .trace = {"success"}},
      {.name = "a store that does not answer is waited for as long as may be",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cached = true,
       .store = StoreAnswers::never,
       .encounters = {good()},
       .trace = {"wait 50ms", "a", "success"}},
      {.name = "and not beyond the deadline",
       .targets = {"a"},
       .plan = tries(4),
       .caller_deadline = milliseconds(30),
       .cached = true,
       .store = StoreAnswers::never,
       .encounters = {good()},
       .trace = {"wait 30ms", "deadline_exceeded"}},
      {.name = "a store that fails later fails no call",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cached = true,
       .store = StoreAnswers::with_error_later,
       .encounters = {good()},
       .trace = {"a", "success"}},
      {.name = "nor does one that throws",
       .targets = {"a", "b"},
       .plan = tries(4),
       .cached = true,
       .store = StoreAnswers::throws,
       .encounters = {good()},
       .trace = {"a", "success"}},
      // Hedges.
      {.name = "the second attempt wins",
       .targets = {"a", "b"},
       .plan = {.patience = kNoCompany, .hedge = HedgeOptions{.after = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = seconds(5)}, good()},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "the first attempt wins after all",
       .targets = {"a", "b"},
       .plan = {.patience = kNoCompany, .hedge = HedgeOptions{.after = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = milliseconds(500)}, {.takes = seconds(5)}},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "a hedge that fails leaves the first one alone",
       .targets = {"a", "b", "c"},
       .plan = {.patience = kNoCompany, .hedge = HedgeOptions{.after = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = milliseconds(500)}, bad(Category::overloaded)},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "after both have failed the call goes on",
       .targets = {"a", "b", "c"},
       .plan = {.retry = {.max_attempts = 1},
                .patience = kNoCompany,
                .hedge = HedgeOptions{.after = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.failure = Failure::of(Category::network), .takes = milliseconds(500)},
                      bad(Category::overloaded),
                      good()},
       .trace = {"a", "wait 300ms", "b", "c", "success"}},
      {.name = "what must not run twice is not hedged",
       .targets = {"a", "b"},
       .plan = {.patience = kNoCompany, .hedge = HedgeOptions{.after = milliseconds(300)}},
       .call = {.idempotent = false},
       .hedges = true,
       .encounters = {{.takes = seconds(5)}},
       .trace = {"a", "success"}},
      // Patience.
      {.name = "company of a silent target answers",
       .targets = {"a", "b"},
       .plan = {.patience = {.fixed = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = seconds(5)}, {.takes = milliseconds(100)}},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "the silent target answers after all",
       .targets = {"a", "b"},
       .plan = {.patience = {.fixed = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = milliseconds(500)}, {.takes = seconds(5)}},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "company that refuses the request ends by itself",
       .targets = {"a", "b"},
       .plan = {.patience = {.fixed = milliseconds(300)}},
       .hedges = true,
       .encounters = {{.takes = milliseconds(500)}, bad(Category::invalid_request)},
       .trace = {"a", "wait 300ms", "b", "success"}},
      {.name = "a target that says cancelled has failed",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {bad(Category::cancelled), good()},
       .trace = {"a", "b", "success"}},
      {.name = "a long retry-after leads to the next target",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {bad(Category::overloaded, seconds(3)), good()},
       .trace = {"a", "b", "success"}},
      {.name = "a failure that took long leads to the next target",
       .targets = {"a", "b"},
       .plan = tries(4),
       .encounters = {{.failure = Failure::of(Category::service_unavailable), .takes = seconds(15)}, good()},
       .trace = {"a", "b", "success"}},
      // Streams that break off.
      {.name = "another target goes on with the answer",
       .targets = {"a", "b", "c"},
       .plan = tries(4),
       .call = {.streaming = true},
       .mends = true,
       .encounters = {broken(0b100), good()},
       .trace = {"a", "mend c", "success"}},
      {.name = "the target itself goes on with it",
       .targets = {"a", "b"},
       .plan = tries(4),
       .call = {.streaming = true},
       .mends = true,
       .encounters = {broken(0b01), broken(0b10), good()},
       .trace = {"a", "wait 500ms", "mend a", "mend b", "success"}},
      {.name = "the cap ends that, too",
       .targets = {"a", "b", "c"},
       .plan = tries(1, 2),
       .call = {.streaming = true},
       .mends = true,
       .encounters = {broken(0b110)},
       .trace = {"a", "mend b", "interrupted"}},
  };
  return scenarios;
}

AttemptReport ScriptedAttempt::report() const {
  AttemptReport report{.answered = !silent, .silent = silent, .recovery = recovery};
  if (failure) report.outcome = Outcome::failed(*failure);
  if (failure && failure->category == Category::rate_limit) report.may_have_run = false;
  return report;
}

Stage::Stage(const Scenario& scenario)
    : scenario_(scenario), breakers_(scenario.breaker, clock_, 1), call_(scenario.call) {
  add_targets();
  for (const std::string& target : scenario.open) {
    while (!breakers_.peek_rejection(target)) breakers_.report(target, Outcome::failed(Failure::of(Category::network)));
  }
  if (scenario.budget) call_.ledger = &ledger_.emplace(*scenario.budget);
  if (scenario.shared_attempts) call_.attempt_budget = &shared_attempts_.emplace(*scenario.shared_attempts);
  if (scenario.cached) add_cache();
  if (!scenario.cannot.empty()) call_.eligibility = this;
  call_.deadline = Deadline::after(clock_.now(), scenario.caller_deadline);
}

bool Stage::can_take(std::uint32_t target) noexcept {
  return std::ranges::find(scenario_.cannot, scenario_.targets[target]) == scenario_.cannot.end();
}

void Stage::add_targets() {
  std::vector<Target> targets;
  for (std::size_t i = 0; i < scenario_.targets.size(); ++i) {
    const std::string& name = scenario_.targets[i];
    const RouteTraits traits = i < scenario_.traits.size() ? scenario_.traits[i] : RouteTraits{};
    std::shared_ptr<CredentialGate> credential;
    if (traits.credential != kNoCredential) {
      auto& known = credentials_[traits.credential];
      if (known == nullptr) known = std::make_shared<CredentialGate>("credential");
      credential = known;
    }
    auto state = std::make_shared<TargetState>(BreakerScopes{breakers_.handle(name)}, scenario_.state, name,
                                               std::move(credential), 1);
    if (std::ranges::find(scenario_.drained, name) != scenario_.drained.end()) {
      while (auto permit = state->limits()->try_acquire(clock_.now(), {.priority = Priority::critical}))
        std::move(*permit).settle();
    }
    targets.push_back({.name = name, .state = std::move(state), .traits = traits});
  }
  plan_ = std::make_shared<const Plan>(scenario_.name, std::move(targets), scenario_.plan);
}

class Stage::Store final : public CacheStore {
 public:
  explicit Store(Stage& stage) : stage_(stage) {}

  std::optional<CacheAnswer> get(std::span<const CacheKey> keys, CacheReceiver* receiver) override {
    const CacheAnswer found = *memory_.get(keys, nullptr);
    switch (stage_.scenario_.store) {
      case StoreAnswers::at_once:
        break;
      case StoreAnswers::within_get:
        CacheReply(receiver).answer(found);
        return std::nullopt;
      case StoreAnswers::later:
        answer_later(receiver, found);
        return std::nullopt;
      case StoreAnswers::with_error_later:
        answer_later(receiver, std::unexpected(CacheStoreError{"disk full"}));
        return std::nullopt;
      case StoreAnswers::never:
        unanswered_.emplace_back(receiver);
        return std::nullopt;
      case StoreAnswers::throws:
        throw std::runtime_error("disk full");
    }
    return found;
  }
  std::expected<bool, CacheStoreError> put(const CacheKey& key, CachedResponsePtr response, Duration ttl) override {
    return memory_.put(key, std::move(response), ttl);
  }
  std::expected<bool, CacheStoreError> erase(const CacheKey& key) override { return memory_.erase(key); }

 private:
  void answer_later(CacheReceiver* receiver, CacheAnswer answer) {
    const auto reply = std::make_shared<CacheReply>(receiver);
    stage_.schedule_(stage_.clock_.now() + milliseconds(20), [reply, answer] { std::move(*reply).answer(answer); });
  }

  Stage& stage_;
  MemoryCacheStore memory_{{}, stage_.clock_};
  std::vector<CacheReply> unanswered_;
};

void Stage::add_cache() {
  std::vector<CacheKey> keys;
  for (std::size_t i = 0; i < scenario_.targets.size(); ++i) {
    keys.emplace_back().bytes[0] = static_cast<std::uint8_t>(i + 1);
  }
  cache_.emplace(std::make_shared<Store>(*this));
  auto answer = std::make_shared<const CachedResponse>(
      CachedResponse{.target = scenario_.targets.back(), .headers = {}, .content = "stored"});
  cache_->store(keys.back(), std::move(answer), minutes(10));
  session_.emplace(*cache_, nullptr, std::move(keys), CacheDecision{.lookup = true, .store = true}, minutes(10));
  call_.cache = &*session_;
}

const ScriptedAttempt& Stage::send(const Attempt& attempt) {
  trace_.push_back((attempt.recovery ? "mend " : "") + plan_->targets()[attempt.target].name);
  const std::size_t index = std::min<std::size_t>(attempt.number, scenario_.encounters.size()) - 1;
  return scenario_.encounters[index];
}

const ScriptedAttempt& Stage::meet(const Attempt& attempt) {
  const ScriptedAttempt& encounter = send(attempt);
  clock_.advance(encounter.takes);
  return encounter;
}

void Stage::waited(Duration wait) { trace_.push_back("wait " + to_text(wait)); }

void Stage::wait_until(TimePoint time) {
  if (!events_.empty() && events_.begin()->first < time) {
    const auto event = events_.extract(events_.begin());
    clock_.advance_to(event.key());
    event.mapped()();
    return;
  }
  waited(elapsed(clock_.now(), time));
  clock_.advance_to(time);
}

std::uint64_t Stage::outstanding() {
  std::uint64_t outstanding = 0;
  for (const BreakerSnapshot& breaker : breakers_.snapshot()) outstanding += breaker.in_flight;
  for (const Target& target : plan_->targets()) {
    outstanding += target.state->queue().size() + target.state->latency().in_flight();
    if (JointLimiter* const limits = target.state->limits()) outstanding += limits->snapshot(clock_.now()).in_flight;
  }
  for (const auto& [id, credential] : credentials_) {
    if (credential->snapshot(clock_.now()).probe_in_flight) ++outstanding;
  }
  if (ledger_) {
    for (const BudgetLevelSnapshot& level : ledger_->snapshot().levels) outstanding += level.open_reservations;
  }
  return outstanding;
}

}  // namespace fuseboard::scenarios
