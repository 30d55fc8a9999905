// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Providers with hidden quotas, in virtual time: what an adaptive limiter has to find out by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "fuseboard/core/time.h"
#include "fuseboard/limit/adaptive.h"
#include "tests/limit/support.h"

namespace fuseboard {

// Answers whether a call at `now` is within the quota; if not, and the provider says so, how long to wait.
class Quota {
 public:
  struct Answer {
    bool taken = false;
    Duration until_more = Duration::zero();
  };
  virtual ~Quota() = default;
  virtual Answer call(TimePoint now) = 0;
  virtual void set_rate(double per_second) = 0;
};

class FixedWindowQuota final : public Quota {
 public:
  FixedWindowQuota(double per_second, Duration window) : per_second_(per_second), window_(window) {}
  Answer call(TimePoint now) override {
    const auto index = now.time_since_epoch() / window_;
    if (index != index_) {
      index_ = index;
      used_ = 0;
    }
    const TimePoint end(window_ * (index + 1));
    if (used_ + 1 > per_second_ * static_cast<double>(window_.count()) / 1e9) return {false, end - now};
    ++used_;
    return {true, end - now};
  }
  void set_rate(double per_second) override { per_second_ = per_second; }

 private:
  double per_second_;
  const Duration window_;
  std::int64_t index_ = -1;
  double used_ = 0;
};

class BucketQuota final : public Quota {
 public:
  BucketQuota(double per_second, double burst) : per_second_(per_second), burst_(burst), level_(burst) {}
  Answer call(TimePoint now) override {
    level_ = std::min(burst_, level_ + per_second_ * static_cast<double>((now - last_).count()) / 1e9);
    last_ = now;
    if (level_ < 1.0) return {false, Duration(static_cast<Duration::rep>((1.0 - level_) / per_second_ * 1e9) + 1)};
    level_ -= 1.0;
    return {true, Duration::zero()};
  }
  void set_rate(double per_second) override { per_second_ = per_second; }

 private:
  double per_second_;
  const double burst_;
  double level_;
  TimePoint last_ = kStart;
};

struct SimulationResult {
  std::uint64_t taken = 0;
  std::uint64_t throttled = 0;
  std::vector<std::uint64_t> taken_by_minute;
  double throttled_share() const { return static_cast<double>(throttled) / static_cast<double>(taken + throttled); }
};

struct Simulation {
  Duration length = std::chrono::minutes(10);
  Duration latency = std::chrono::milliseconds(300);         // of a call that is taken
  Duration refusal_latency = std::chrono::milliseconds(60);  // of one that is throttled
  bool says_retry_after = false;
  std::function<void(TimePoint)> at_each_call = [](TimePoint) {};

  // A caller who always has another call to make.
  SimulationResult run(AdaptiveLimiter& limiter, Quota& quota) {
    struct Flight {
      TimePoint ends;
      Outcome outcome;
      std::size_t permit;
    };
    const auto later = [](const Flight& a, const Flight& b) { return a.ends > b.ends; };
    std::priority_queue<Flight, std::vector<Flight>, decltype(later)> flights(later);
    std::vector<AdaptivePermit> permits;
    SimulationResult result;
    result.taken_by_minute.resize(static_cast<std::size_t>(length / std::chrono::minutes(1)) + 1);
    TimePoint now = kStart;
    while (now < kStart + length) {
      auto permit = limiter.try_acquire(now);
      if (permit) {
        at_each_call(now);
        const Quota::Answer answer = quota.call(now);
        ++(answer.taken ? result.taken : result.throttled);
        if (answer.taken) ++result.taken_by_minute[static_cast<std::size_t>((now - kStart) / std::chrono::minutes(1))];
        const auto hint = says_retry_after ? std::optional(answer.until_more) : std::nullopt;
        const Outcome outcome =
            answer.taken ? Outcome::success() : Outcome::failed(Failure::of(Category::rate_limit, hint));
        permits.push_back(std::move(*permit));
        flights.push({now + (answer.taken ? latency : refusal_latency), outcome, permits.size() - 1});
        continue;
      }
      TimePoint next = now + *permit.error().retry_after;
      if (!flights.empty()) next = std::min(next, flights.top().ends);
      now = std::max(next, now);
      while (!flights.empty() && flights.top().ends <= now) {
        std::move(permits[flights.top().permit]).settle(now, flights.top().outcome);
        flights.pop();
      }
    }
    return result;
  }
};

}  // namespace fuseboard
