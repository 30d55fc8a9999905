// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The breaker under every interleaving of three threads with two operations each: every history is linearizable, and
// no half-open period has more probes in flight than it may [BRK-6].
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "fuseboard/breaker/circuit_breaker.h"
#include "tests/interleave/expect_explored.h"
#include "tests/interleave/history.h"

namespace fuseboard::interleave {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kThreads = 3;

// Each thread has read the clock at a time of its own, and comes to the breaker with that: in whatever order. So a
// history with time in it has an order too.
class ClockOfThreads final : public Clock {
 public:
  TimePoint now() const noexcept override { return TimePoint(1h) + since_[thread()]; }
  void advance(Duration time) noexcept { since_[thread()] += time; }
  void advance_all(Duration time) noexcept {
    for (Duration& since : since_) since += time;
  }
  // Who calls while nothing is explored.
  void set_caller(std::size_t thread) noexcept { caller_ = thread; }

 private:
  std::size_t thread() const noexcept {
    const Explorer* const explorer = Explorer::running();
    return explorer != nullptr ? explorer->current_thread() : caller_;
  }

  std::array<Duration, kThreads> since_{};
  std::size_t caller_ = 0;
};

// One breaker with a permit for each thread.
class BreakerWorld {
 public:
  explicit BreakerWorld(const BreakerOptions& options)
      : breaker(options, "key", clock, 1), most_probes_(options.half_open_max_probes) {}

  std::string text() {
    clock.set_caller(0);
    const BreakerSnapshot snapshot = breaker.snapshot();
    std::ostringstream text;
    text << name(snapshot.state) << " generation " << snapshot.generation << ", " << snapshot.consecutive_failures
         << " failures, " << snapshot.probes_in_flight << " probes, open for " << to_text(snapshot.open_time) << ", "
         << to_text(snapshot.remaining) << " left, opened " << snapshot.times_opened << ", in flight "
         << snapshot.in_flight << ", denied " << snapshot.denials;
    if (snapshot.window) text << ", window " << snapshot.window->calls << '/' << snapshot.window->failures;
    return text.str();
  }
  const std::string& wrong() const { return wrong_; }

  std::string acquire(std::size_t thread) {
    clock.set_caller(thread);
    auto permit = breaker.try_acquire();
    if (!permit) {
      const Rejection& rejection = permit.error();
      return told(rejection) + " after " + std::to_string(rejection.consecutive_failures);
    }
    if (permit->is_probe() && ++probes_[permit->generation()] > most_probes_) wrong_ = "too many probes in flight";
    std::string answer = (permit->is_probe() ? "probe of " : "permit of ") + std::to_string(permit->generation());
    held[thread] = std::move(*permit);
    return answer;
  }
  std::string settle(std::size_t thread, const Outcome& outcome) {
    clock.set_caller(thread);
    let_go(thread);
    std::move(held[thread]).settle(outcome);
    return "settled";
  }
  std::string drop(std::size_t thread) {
    clock.set_caller(thread);
    let_go(thread);
    held[thread] = BreakerPermit();
    return "dropped";
  }
  std::string first_content(std::size_t thread) {
    clock.set_caller(thread);
    let_go(thread);
    held[thread].first_content(1ms);
    return "goes on in " + std::to_string(held[thread].generation());
  }

  std::string told(const Rejection& rejection) const {
    const std::string reason(name(rejection.reason));
    return tells_waits ? reason + " for " + to_text(rejection.retry_after.value_or(0s)) : reason;
  }

  ClockOfThreads clock{};
  bool tells_waits = true;
  CircuitBreaker breaker;
  std::array<BreakerPermit, kThreads> held{};

 private:
  void let_go(std::size_t thread) {
    if (held[thread].is_probe()) --probes_[held[thread].generation()];
  }

  const std::uint32_t most_probes_;
  std::map<std::uint64_t, std::uint32_t> probes_{};  // in flight, by generation
  std::string wrong_{};
};

using Act = Operation<BreakerWorld>;
using Program = Threads<BreakerWorld>;

Outcome failed(Category category = Category::timeout) { return Outcome::failed(Failure::of(category)); }

Act acquire(std::size_t thread) {
  return [=](BreakerWorld& world) { return world.acquire(thread); };
}
Act settle(std::size_t thread, const Outcome& outcome) {
  return [=](BreakerWorld& world) { return world.settle(thread, outcome); };
}
Act drop(std::size_t thread) {
  return [=](BreakerWorld& world) { return world.drop(thread); };
}
Act first_content(std::size_t thread) {
  return [=](BreakerWorld& world) { return world.first_content(thread); };
}
Act report(std::size_t thread, const Outcome& outcome) {
  return [=](BreakerWorld& world) {
    world.clock.set_caller(thread);
    world.breaker.report(outcome);
    return std::string("reported");
  };
}
Act reset(std::size_t thread) {
  return [=](BreakerWorld& world) {
    world.clock.set_caller(thread);
    world.breaker.reset();
    return std::string("reset");
  };
}
Act peek_rejection(std::size_t thread) {
  return [=](BreakerWorld& world) {
    world.clock.set_caller(thread);
    const auto rejection = world.breaker.peek_rejection();
    return rejection ? world.told(*rejection) : "would be admitted";
  };
}
// The same, so much later: the thread's clock goes on first.
Act later(Duration time, std::size_t thread, const Act& act) {
  return [=](BreakerWorld& world) {
    world.clock.set_caller(thread);
    world.clock.advance(time);
    return act(world);
  };
}

// What a call ends with.
std::vector<Act> endings_of(std::size_t thread) {
  return {settle(thread, Outcome::success()), settle(thread, failed()), settle(thread, failed(Category::rate_limit)),
          drop(thread)};
}

// A call of each thread, for every choice of endings; their order among threads makes no difference.
std::vector<Program> programs_of_calls() {
  std::vector<Program> programs;
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = a; b < 4; ++b) {
      for (std::size_t c = b; c < 4; ++c) {
        programs.push_back(
            {{acquire(0), endings_of(0)[a]}, {acquire(1), endings_of(1)[b]}, {acquire(2), endings_of(2)[c]}});
      }
    }
  }
  return programs;
}

BreakerOptions options() { return {.failure_threshold = 2, .open_time = OpenTime::exponential(10s, 2.0, 40s)}; }

std::function<std::unique_ptr<BreakerWorld>()> closed(const BreakerOptions& chosen) {
  return [=] { return std::make_unique<BreakerWorld>(chosen); };
}
// Opened, by as many failures as it takes; permits of before are held by all threads if `late`.
std::function<std::unique_ptr<BreakerWorld>()> opened(const BreakerOptions& chosen, Duration ago, bool late = false) {
  return [=] {
    auto world = std::make_unique<BreakerWorld>(chosen);
    if (late) {
      for (std::size_t thread = 0; thread < kThreads; ++thread) (void)world->acquire(thread);
    }
    for (std::uint32_t i = 0; i < chosen.failure_threshold; ++i) world->breaker.report(failed());
    world->clock.advance_all(ago);
    return world;
  };
}

TEST(BreakerInterleavings, CallsOfAClosedCircuit) {  // BRK-1.1 BRK-9 BRK-10.1
  expect_explored(explore_all(programs_of_calls(), closed(options())), 58, 1800);
}

TEST(BreakerInterleavings, CallsThatEachOpenTheCircuit) {  // BRK-1.1 BRK-2.1 BRK-9
  BreakerOptions quick = options();
  quick.failure_threshold = 1;
  expect_explored(explore_all(programs_of_calls(), closed(quick)), 98, 2800);
}

TEST(BreakerInterleavings, CallsThatFillAWindow) {  // BRK-2.2
  BreakerOptions with_rate = options();
  with_rate.failure_threshold = 100;
  with_rate.failure_rate = 0.5;
  with_rate.minimum_calls = 2;
  with_rate.window = CallWindow::last_calls(2);
  expect_explored(explore_all(programs_of_calls(), closed(with_rate)), 190, 6800);
}

TEST(BreakerInterleavings, CallsWhileTheWindowIsFullOfGoodOnes) {  // BRK-2.2
  BreakerOptions with_rate = options();
  with_rate.failure_threshold = 100;
  with_rate.failure_rate = 1.0;
  with_rate.minimum_calls = 2;
  with_rate.window = CallWindow::last_calls(2);
  const auto full = [=] {
    auto world = closed(with_rate)();
    for (int i = 0; i < 2; ++i) world->breaker.report(Outcome::success());
    return world;
  };
  expect_explored(explore_all(programs_of_calls(), full), 130, 3900);
}

TEST(BreakerInterleavings, ProbesOfACircuitWhoseOpenTimeIsOver) {  // BRK-5 BRK-6 BRK-7.1 BRK-7.2
  expect_explored(explore_all(programs_of_calls(), opened(options(), 10s)), 15'000, 550'000);
}

TEST(BreakerInterleavings, TwoProbesAtOnce) {  // BRK-6 BRK-7.1 BRK-7.2
  BreakerOptions two = options();
  two.half_open_max_probes = 2;
  two.half_open_successes = 2;
  expect_explored(explore_all(programs_of_calls(), opened(two, 10s)), 24'000, 820'000);
}

TEST(BreakerInterleavings, CallsThatEndLate) {  // BRK-9
  const std::vector<Program> programs = {
      {{settle(0, Outcome::success()), acquire(0)}, {settle(1, failed()), acquire(1)}, {drop(2), acquire(2)}},
      {{settle(0, Outcome::success()), acquire(0)},
       {acquire(1), settle(1, failed())},
       {settle(2, failed()), peek_rejection(2)}},
      {{settle(0, failed()), acquire(0)},
       {acquire(1), settle(1, Outcome::success())},
       {settle(2, failed()), peek_rejection(2)}},
  };
  expect_explored(explore_all(programs, opened(options(), 10s, true)), 810, 27'000);
}

TEST(BreakerInterleavings, StreamsThatProbe) {  // BRK-8.5
  BreakerOptions two = options();
  two.half_open_max_probes = 2;
  two.half_open_successes = 2;
  const auto with_probe = [=] {
    auto world = opened(two, 10s)();
    (void)world->acquire(0);
    return world;
  };
  const std::vector<Program> programs = {
      {{first_content(0), settle(0, failed())}, {acquire(1), settle(1, Outcome::success())}, {acquire(2), drop(2)}},
      {{first_content(0), settle(0, Outcome::success())},
       {acquire(1), first_content(1)},
       {acquire(2), settle(2, failed())}},
  };
  expect_explored(explore_all(programs, with_probe), 140, 4700);
}

TEST(BreakerInterleavings, ResetsAndReports) {  // BRK-21.1, BRK-21.2
  const std::vector<Program> programs = {
      {{reset(0), acquire(0)}, {acquire(1), settle(1, failed())}, {acquire(2), settle(2, failed())}},
      {{report(0, failed()), peek_rejection(0)},
       {report(1, failed()), acquire(1)},
       {acquire(2), settle(2, Outcome::success())}},
  };
  Explored all = explore_all(programs, closed(options()));
  all += explore_all(programs, opened(options(), 5s));
  all += explore_all(programs, opened(options(), 10s));
  expect_explored(all, 1400, 59'000);
}

TEST(BreakerInterleavings, CallsThatEndBesideAReset) {  // BRK-9 BRK-21.2
  const std::vector<Program> programs = {
      {{reset(0), acquire(0)}, {settle(1, Outcome::success()), acquire(1)}, {acquire(2), settle(2, failed())}},
      {{reset(0), report(0, failed())},
       {settle(1, Outcome::success()), peek_rejection(1)},
       {settle(2, failed()), acquire(2)}},
  };
  const auto make = [] {
    auto world = closed(options())();
    for (std::size_t thread = 0; thread < kThreads; ++thread) (void)world->acquire(thread);
    world->breaker.report(failed());
    return world;
  };
  expect_explored(explore_all(programs, make), 730, 17'000);
}

TEST(BreakerInterleavings, ClocksReadInAnotherOrder) {  // BRK-4.4 BRK-5 BRK-8.3 CORE-1
  const std::vector<Program> programs = {
      {{later(5s, 0, acquire(0)), drop(0)}, {acquire(1), settle(1, failed())}, {acquire(2), later(1s, 2, acquire(2))}},
      {{later(5s, 0, acquire(0)), settle(0, Outcome::success())},
       {later(6s, 1, acquire(1)), settle(1, failed())},
       {acquire(2), later(15s, 2, acquire(2))}},
      {{later(5s, 0, acquire(0)), later(60s, 0, settle(0, Outcome::success()))},
       {later(65s, 1, acquire(1)), settle(1, Outcome::success())},
       {later(64s, 2, peek_rejection(2)), later(30s, 2, acquire(2))}},
      {{later(5s, 0, acquire(0)), later(61s, 0, first_content(0))},
       {later(70s, 1, acquire(1)), later(11s, 1, acquire(1))},
       {later(5s, 2, acquire(2)), settle(2, failed())}},
  };
  // A thread with an old reading is told the wait from that, or from the last move if it had to look under the lock.
  // Either is honest, so the waits are left out.
  const auto without_waits = [] {
    auto world = opened(options(), 5s)();
    world->tells_waits = false;
    return world;
  };
  expect_explored(explore_all(programs, without_waits), 4700, 190'000);
}

}  // namespace
}  // namespace fuseboard::interleave
