// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The adaptive limiter against hidden quotas, ten virtual minutes each; an hour where a minute has too few calls to
// judge by [LIM-4.1, LIM-4.2].
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>

#include "fuseboard/limit/adaptive.h"
#include "tests/limit/quota.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

struct Case {
  std::string name;
  bool window;        // a fixed window of a minute, or a bucket
  double quota;       // calls a second
  double configured;  // calls a second
  bool says_retry_after;
  std::chrono::minutes length = 10min;
  Duration latency = 300ms;

  // How test names show a case.
  friend void PrintTo(const Case& it, std::ostream* out) { *out << it.name; }
};

std::unique_ptr<Quota> quota_of(const Case& it) {
  if (it.window) return std::make_unique<FixedWindowQuota>(it.quota, 60s);
  return std::make_unique<BucketQuota>(it.quota, it.quota);
}

class HiddenQuota : public testing::TestWithParam<Case> {};

TEST_P(HiddenQuota, IsUsedToNineTenthsWithFewCallsThrottled) {  // LIM-4.1, LIM-4.2
  const Case& it = GetParam();
  AdaptiveLimiter limiter({.rate = {.rate = it.configured}}, "", 1);
  const auto quota = quota_of(it);
  Simulation simulation{.length = it.length, .latency = it.latency, .says_retry_after = it.says_retry_after};
  const SimulationResult result = simulation.run(limiter, *quota);
  const double most = std::min(it.quota, it.configured) * static_cast<double>(it.length.count()) * 60;
  RecordProperty("used", std::to_string(static_cast<double>(result.taken) / most));
  RecordProperty("throttled", std::to_string(result.throttled_share()));
  EXPECT_GE(static_cast<double>(result.taken), 0.9 * most);
  EXPECT_LT(result.throttled_share(), 0.02);
}

TEST_P(HiddenQuota, IsFollowedWhenItRises) {  // LIM-4.2
  const Case& it = GetParam();
  AdaptiveLimiter limiter({.rate = {.rate = it.configured}}, "", 1);
  const auto quota = quota_of(it);
  Simulation simulation{.length = 20min, .latency = it.latency, .says_retry_after = it.says_retry_after};
  const double raised = it.quota * 1.5;
  simulation.at_each_call = [&](TimePoint now) {
    if (now >= kStart + 10min) quota->set_rate(raised);
  };
  const SimulationResult result = simulation.run(limiter, *quota);
  std::uint64_t late = 0;
  for (std::size_t minute = 15; minute < 20; ++minute) late += result.taken_by_minute[minute];
  EXPECT_GE(static_cast<double>(late), 0.9 * std::min(raised, it.configured) * 5 * 60);
}

INSTANTIATE_TEST_SUITE_P(Quotas, HiddenQuota,
                         testing::Values(Case{"WindowTwiceTheQuota", true, 10, 20, false},
                                         Case{"WindowFourTimesTheQuota", true, 10, 40, false},
                                         Case{"WindowWithRetryAfter", true, 10, 40, true},
                                         Case{"WindowSlow", true, 1, 3, false, 60min},
                                         Case{"WindowAboveTheConfigured", true, 30, 20, false},
                                         Case{"BucketTwiceTheQuota", false, 10, 20, false},
                                         Case{"BucketFourTimesTheQuota", false, 10, 40, false},
                                         Case{"BucketTenTimesTheQuota", false, 10, 100, false},
                                         Case{"BucketWithRetryAfter", false, 10, 40, true},
                                         Case{"BucketSlow", false, 1, 3, false, 60min},
                                         Case{"BucketOfLongCalls", false, 10, 40, false, 10min, 10s},
                                         Case{"BucketAboveTheConfigured", false, 30, 20, false}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace fuseboard
