// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The token bucket, places in flight and shared attempts under every interleaving of three threads with two operations
// each: linearizable, and never past their bounds.
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/limit/bulkhead.h"
#include "fuseboard/limit/retry_after_gate.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/retry/attempt_budget.h"
#include "tests/interleave/expect_explored.h"
#include "tests/interleave/history.h"

namespace fuseboard::interleave {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint(1h);

// A bucket of three tokens, one a second, of which one is left.
class BucketWorld {
 public:
  BucketWorld() { (void)bucket_.try_acquire(kStart, 2); }

  // `by` names the grant for its refund.
  std::string acquire(TimePoint now, std::uint64_t cost, std::size_t by) {
    // Of the highest priority, whose waits have no jitter.
    const auto granted = bucket_.try_acquire(now, cost, Priority::critical);
    if (!granted) return "refused for " + to_text(granted.error().retry_after.value_or(kForever));
    grants_.at(by) = *granted;
    taken_ += static_cast<double>(cost);
    latest_ = std::max(latest_, now);
    // One was left, and what has been refilled since.
    if (taken_ > 1.0 + static_cast<double>((latest_ - kStart) / 1s)) wrong_ = "more than burst and rate allow";
    return "granted";
  }
  std::string refund(TimePoint now, std::size_t by) {
    if (!grants_.at(by)) return "nothing to refund";
    taken_ -= 1.0;  // before it: others may have it before this returns
    bucket_.release(now, *grants_.at(by));
    return "refunded";
  }
  std::string reset() {
    taken_ -= 3.0;
    bucket_.reset();
    return "full";
  }

  std::string text() const { return std::to_string(bucket_.available(kStart + 2s)) + " left"; }
  const std::string& wrong() const { return wrong_; }

 private:
  TokenBucket bucket_{{.rate = 1, .burst = 3}, "key", 1};
  std::array<std::optional<TokenGrant>, 3> grants_{};
  double taken_ = 0;
  TimePoint latest_ = kStart;
  std::string wrong_{};
};

Operation<BucketWorld> acquire(Duration since, std::uint64_t cost = 1, std::size_t by = 0) {
  return [=](BucketWorld& world) { return world.acquire(kStart + since, cost, by); };
}

Operation<BucketWorld> refund(Duration since, std::size_t by = 0) {
  return [=](BucketWorld& world) { return world.refund(kStart + since, by); };
}

TEST(TokenBucketInterleavings, NeverAdmitMoreThanBurstAndRateAllow) {  // LIM-1 LIM-3
  const Operation<BucketWorld> reset = [](BucketWorld& world) { return world.reset(); };
  const std::vector<Threads<BucketWorld>> programs = {
      {{acquire(0s), acquire(0s)}, {acquire(0s), acquire(0s)}, {acquire(0s), acquire(0s)}},
      {{acquire(0s), acquire(1s)}, {acquire(1s), acquire(2s)}, {acquire(0s), acquire(2s)}},
      {{acquire(2s), acquire(0s)}, {acquire(2s), acquire(1s)}, {acquire(2s), acquire(2s)}},
      {{acquire(1s, 2), acquire(2s)}, {acquire(0s), acquire(1s, 2)}, {acquire(2s, 3), acquire(2s)}},
      {{acquire(0s), refund(0s)}, {acquire(0s, 1, 1), acquire(1s, 1, 1)}, {acquire(0s, 1, 2), acquire(1s, 1, 2)}},
      {{acquire(1s, 1, 0), refund(1s, 0)}, {acquire(1s, 1, 1), refund(1s, 1)}, {acquire(1s, 1, 2)}},
      {{acquire(0s), reset}, {acquire(0s), acquire(0s)}, {acquire(0s), acquire(0s)}},
      {{acquire(0s), refund(0s)}, {acquire(0s, 1, 1), reset}, {acquire(0s, 1, 2)}},
  };
  expect_explored(explore_all(programs, [] { return std::make_unique<BucketWorld>(); }), 30'000, 138'000);
}

// Two places.
class PlacesWorld {
 public:
  std::string enter() {
    auto slot = bulkhead_.try_acquire();
    if (!slot) return "refused";
    if (++taken_ > 2) wrong_ = "more in flight than the limit";
    slots_.push_back(std::move(*slot));
    return "entered";
  }
  std::string leave() {
    if (slots_.empty()) return "none to leave";
    BulkheadSlot slot = std::move(slots_.back());
    slots_.pop_back();
    --taken_;
    std::move(slot).release();
    return "left";
  }

  std::string text() const { return std::to_string(bulkhead_.in_flight()) + " in flight"; }
  const std::string& wrong() const { return wrong_; }

 private:
  Bulkhead bulkhead_{{.limit = 2}};
  std::vector<BulkheadSlot> slots_{};
  int taken_ = 0;
  std::string wrong_{};
};

TEST(BulkheadInterleavings, NeverHoldMoreThanTheLimit) {  // LIM-8.1
  const auto make = [] {
    auto world = std::make_unique<PlacesWorld>();
    (void)world->enter();
    return world;
  };
  const Operation<PlacesWorld> enter = [](PlacesWorld& world) { return world.enter(); };
  const Operation<PlacesWorld> leave = [](PlacesWorld& world) { return world.leave(); };
  const std::vector<Threads<PlacesWorld>> programs = {
      {{enter, enter}, {enter, enter}, {enter, enter}},
      {{leave, enter}, {enter, enter}, {enter, enter}},
  };
  expect_explored(explore_all(programs, make), 6100, 13'000);
}

// Three attempts that several calls share.
struct AttemptsWorld {
  std::string take() {
    if (!attempts.try_take()) return "none left";
    if (++taken > 3) problem = "more attempts than there were";
    return "taken";
  }
  std::string release() {
    --taken;
    attempts.release();
    return "given back";
  }
  std::string text() const { return std::to_string(attempts.left()) + " left"; }
  const std::string& wrong() const { return problem; }

  AttemptBudget attempts{3};
  int taken = 0;
  std::string problem{};
};

TEST(AttemptBudgetInterleavings, NeverGrantMoreThanThereIs) {  // RTY-6.1 RTY-10
  const Operation<AttemptsWorld> take = [](AttemptsWorld& world) { return world.take(); };
  const Operation<AttemptsWorld> release = [](AttemptsWorld& world) { return world.release(); };
  const std::vector<Threads<AttemptsWorld>> programs = {
      {{take, take}, {take, take}, {take, take}},
      {{take, release}, {take, take}, {take, take}},
  };
  expect_explored(explore_all(programs, [] { return std::make_unique<AttemptsWorld>(); }), 37'000, 81'000);
}

struct GateWorld {
  std::string close(Duration wait) {
    gate.close(kStart, wait);
    return "closed";
  }
  std::string peek_rejection(Duration since) const {
    const auto shut = gate.peek_rejection(kStart + since);
    return shut ? "shut for " + to_text(*shut->retry_after) : "open";
  }
  std::string text() const { return peek_rejection(0s); }
  std::string wrong() const { return {}; }

  RetryAfterGate gate{"key"};
};

TEST(RetryAfterGateInterleavings, TheLongestCloseHolds) {  // LIM-4.3
  const auto close = [](Duration wait) {
    return Operation<GateWorld>([=](GateWorld& world) { return world.close(wait); });
  };
  const auto look = [](Duration since) {
    return Operation<GateWorld>([=](GateWorld& world) { return world.peek_rejection(since); });
  };
  const std::vector<Threads<GateWorld>> programs = {
      {{close(3s), look(1s)}, {close(5s), look(4s)}, {close(1s), close(4s)}},
      {{close(3s), close(2s)}, {close(1s), close(5s)}, {look(0s), look(2s)}},
  };
  expect_explored(explore_all(programs, [] { return std::make_unique<GateWorld>(); }), 2000, 5500);
}

}  // namespace
}  // namespace fuseboard::interleave
