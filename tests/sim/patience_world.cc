// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "patience_world.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/clock.h"
#include "sim/simulated_call.h"

namespace fuseboard::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kChosen = 0;

Duration uniform(Rng& rng, Duration from, Duration to) {
  return from + Duration(static_cast<std::int64_t>(rng.uniform() * static_cast<double>((to - from).count())));
}

class Life final : public CallWorld, public CallObserver {
 public:
  Life(const PatienceWorld& world, std::uint64_t seed)
      : world_(world), rng_(seed), time_(clock_), breakers_(provider_preset(), clock_, seed), start_(clock_.now()) {
    std::vector<Target> targets = {target("chosen")};
    if (!world.alone) targets.push_back(target("other"));
    plan_ = std::make_shared<const Plan>("model", std::move(targets));
    calls_.resize(static_cast<std::size_t>(world.callers));
    subscription_ = breakers_.subscribe([this](const BreakerEvent& event) { note(event); });
  }

  PatienceFigures live() {
    for (std::size_t caller = 0; caller < calls_.size(); ++caller) {
      // Callers do not come in step.
      time_.at(saturating_add(start_, uniform(rng_, Duration::zero(), seconds(5))), [this, caller] { call(caller); });
    }
    time_.run();
    return figures();
  }

  SimulatedAttempt meet(const Plan&, const Attempt& attempt) override {
    const Duration at = elapsed(start_, time_.now());
    const Manner manner = attempt.target == kChosen ? world_.temper(at, rng_)
                                                    : Manner{.answers = uniform(rng_, milliseconds(500), seconds(2))};
    // A sign of work starts the first-content limit afresh, and pings of a working one do so for ever.
    const bool waits_for_content = world_.streaming && !manner.works;
    const auto& answers = manner.answers;
    const TimePoint content_by = answers ? attempt.first_content_by : attempt.headers_by;
    const Duration limit = elapsed(time_.now(), waits_for_content ? content_by : attempt.total_by);
    if (!answers || *answers >= limit) {
      return {.report = {.outcome = Outcome::failed(Failure::of(Category::timeout)), .silent = true}, .takes = limit};
    }
    SimulatedAttempt planned{.report = {.outcome = Outcome::success(), .answered = true}, .takes = *answers};
    if (world_.streaming) {
      planned.first_sign = manner.works;
      planned.first_content = *answers;
      planned.takes = *answers + seconds(2);
    }
    return planned;
  }

  void call_ended(const CallId& id, const std::shared_ptr<const Plan>&, const CallRecord& record) noexcept override {
    const auto caller = static_cast<std::size_t>(std::stoul(std::string(id.view())));
    count(record);
    const TimePoint again = saturating_add(time_.now(), seconds(1));
    if (elapsed(start_, again) < world_.lasts) time_.at(again, [this, caller] { call(caller); });
  }

 private:
  Target target(const std::string& name) {
    auto state =
        std::make_shared<TargetState>(BreakerScopes{breakers_.handle(name)}, TargetStateOptions{}, name, nullptr, 1);
    return {.name = name, .state = std::move(state)};
  }

  void call(std::size_t caller) {
    CallOptions options{.streaming = world_.streaming};
    options.id = CallId(std::to_string(caller));
    calls_[caller] = SimulatedCall::begin(time_, *this, plan_, options, rng_, this);
  }

  void note(const BreakerEvent& event) {
    if (event.kind != BreakerEventKind::transition || event.to != CircuitState::open) return;
    const bool after_probe = event.from == CircuitState::half_open;
    if (!after_probe) ++figures_.opened;
    if (!after_probe && event.cause == TransitionCause::silent) ++figures_.opened_silent;
    if (world_.silent_from && !opened_ && elapsed(start_, event.at) > *world_.silent_from) opened_ = event.at;
  }

  void count(const CallRecord& record) {
    const Duration began = elapsed(start_, record.started);
    Duration answered = record.duration();
    for (const AttemptRecord& attempt : record.attempts) {
      if (attempt.first_content) answered = elapsed(record.started, attempt.started + *attempt.first_content);
    }
    const bool waited_in_silence = world_.silent_from && began + seconds(5) > *world_.silent_from;
    if (waited_in_silence && (!opened_ || record.started < *opened_)) {
      const Duration until = elapsed(start_, record.started) + answered - *world_.silent_from;
      figures_.nobody_waits_after = std::max(figures_.nobody_waits_after.value_or(Duration::zero()), until);
    }
    if (began < world_.counted_from || began >= world_.counted_to) return;
    ++figures_.calls;
    attempts_ += record.attempts_sent;
    if (record.ending != Ending::success) ++figures_.failed;
    if (record.ending == Ending::success && record.served_by == kChosen) ++chosen_;
    answers_.push_back(answered);
  }

  PatienceFigures figures() {
    std::ranges::sort(answers_);
    if (answers_.empty()) return figures_;
    const auto share = [&](double part) {
      return answers_[static_cast<std::size_t>(part * static_cast<double>(answers_.size() - 1))];
    };
    figures_.p50 = share(0.5);
    figures_.p99 = share(0.99);
    figures_.longest = answers_.back();
    figures_.attempts_per_call = static_cast<double>(attempts_) / static_cast<double>(figures_.calls);
    const std::uint64_t answered = figures_.calls - figures_.failed;
    figures_.chosen = answered == 0 ? 0.0 : static_cast<double>(chosen_) / static_cast<double>(answered);
    return figures_;
  }

  const PatienceWorld& world_;
  ManualClock clock_;
  Rng rng_;
  VirtualTime time_;
  BreakerRegistry breakers_;
  const TimePoint start_;
  std::shared_ptr<const Plan> plan_;
  std::vector<std::shared_ptr<SimulatedCall>> calls_;
  std::optional<TimePoint> opened_;
  std::vector<Duration> answers_;
  std::uint64_t attempts_ = 0;
  std::uint64_t chosen_ = 0;
  PatienceFigures figures_;
  Subscription subscription_;
};

double in_seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e9; }

}  // namespace

PatienceFigures live_through(const PatienceWorld& world, std::uint64_t seed) { return Life(world, seed).live(); }

std::string to_row(const PatienceWorld& world, const PatienceFigures& figures) {
  char row[256];
  char nobody[32] = "";
  if (figures.nobody_waits_after)
    std::snprintf(nobody, sizeof(nobody), "%.0f s", in_seconds(*figures.nobody_waits_after));
  std::snprintf(row, sizeof(row), "| %s | %s | %d | %llu | %.2f | %.1f s | %.1f s | %.0f s | %llu | %.1f %% | %s |",
                world.name.c_str(), world.streaming ? "stream" : "plain", world.callers,
                static_cast<unsigned long long>(figures.calls), figures.attempts_per_call, in_seconds(figures.p50),
                in_seconds(figures.p99), in_seconds(figures.longest), static_cast<unsigned long long>(figures.opened),
                100.0 * figures.chosen, nobody);
  return row;
}

}  // namespace fuseboard::sim
