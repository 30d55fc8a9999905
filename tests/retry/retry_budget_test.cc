// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/retry_budget.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <thread>
#include <vector>

#include "fuseboard/core/clock.h"
#include "fuseboard/retry/attempt_budget.h"
#include "tests/support/together.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr int kThreads = 8;

std::uint64_t granted(TimePoint now, RetryBudget& budget, int asked = 10'000) {
  std::uint64_t granted = 0;
  for (int i = 0; i < asked; ++i) granted += budget.try_retry(now) ? 1 : 0;
  return granted;
}

class RetryBudgetTest : public testing::Test {
 protected:
  ManualClock clock_;
};

TEST_F(RetryBudgetTest, AFifthOfTheCallsAndTenASecondMayBeRetried) {  // RTY-5
  RetryBudget budget;
  EXPECT_EQ(granted(clock_.now(), budget), 100U) << "the floor of ten seconds";
  for (int i = 0; i < 1000; ++i) budget.count_call(clock_.now());
  EXPECT_EQ(granted(clock_.now(), budget), 200U);
  EXPECT_FALSE(budget.try_retry(clock_.now()));
}

TEST_F(RetryBudgetTest, CallsAndRetriesCountForTenSeconds) {  // RTY-5
  RetryBudget budget({.ratio = 0.5, .min_per_second = 0});
  for (int i = 0; i < 10; ++i) budget.count_call(clock_.now());
  clock_.advance(9s);
  EXPECT_EQ(granted(clock_.now(), budget), 5U);
  clock_.advance(1s);
  EXPECT_EQ(budget.snapshot(clock_.now()).calls, 0U) << "a quiet target's old calls buy nothing";
  for (int i = 0; i < 10; ++i) budget.count_call(clock_.now());
  EXPECT_EQ(granted(clock_.now(), budget), 0U) << "the retries bought with them still count";
  clock_.advance(9s);
  EXPECT_EQ(granted(clock_.now(), budget), 5U);
}

TEST_F(RetryBudgetTest, ALongQuietTimeOfSuccessesSavesUpNoStorm) {  // RTY-5
  RetryBudget budget({.min_per_second = 0});
  for (int second = 0; second < 3600; ++second) {
    for (int i = 0; i < 10; ++i) budget.count_call(clock_.now());
    clock_.advance(1s);
  }
  EXPECT_LE(granted(clock_.now(), budget), 20U);
}

TEST_F(RetryBudgetTest, ARetryThatWasNotSentIsGivenBack) {  // RTY-5
  RetryBudget budget({.ratio = 0, .min_per_second = 1});
  const TimePoint first = clock_.now();
  EXPECT_EQ(granted(first, budget), 10U);
  clock_.advance(5s);
  budget.release(first);
  EXPECT_EQ(granted(clock_.now(), budget), 1U);
  clock_.advance(20s);
  budget.release(first);
  EXPECT_EQ(granted(clock_.now(), budget), 10U) << "what no longer counts is not given back";
}

TEST_F(RetryBudgetTest, NothingConfiguredMeansNoRetry) {  // RTY-5
  RetryBudget budget({.ratio = 0, .min_per_second = 0});
  budget.count_call(clock_.now());
  EXPECT_FALSE(budget.try_retry(clock_.now()));
}

TEST_F(RetryBudgetTest, AnOldClockReadingTakesNoMoreThanANewOne) {  // RTY-5
  RetryBudget budget({.ratio = 0, .min_per_second = 1});
  const TimePoint old = clock_.now();
  clock_.advance(1s);
  EXPECT_EQ(granted(clock_.now(), budget), 10U);
  EXPECT_EQ(granted(old, budget), 0U);
  RetryBudget other({.ratio = 0, .min_per_second = 1});
  clock_.advance(15s);
  EXPECT_TRUE(other.try_retry(clock_.now()));
  EXPECT_FALSE(other.try_retry(old)) << "its second's place is taken";
  EXPECT_EQ(other.snapshot(clock_.now()).retries, 1U);
  other.count_call(clock_.now());
  other.count_call(old);
  EXPECT_EQ(other.snapshot(clock_.now()).calls, 1U);
}

TEST_F(RetryBudgetTest, TheEndsOfTimeAreNoTrouble) {  // CORE-7
  RetryBudget budget({.ratio = 1, .min_per_second = 0});
  for (const TimePoint t : {TimePoint::min(), TimePoint(), TimePoint::max()}) {
    budget.count_call(t);
    EXPECT_TRUE(budget.try_retry(t));
    EXPECT_FALSE(budget.try_retry(t));
    budget.release(t);
    EXPECT_TRUE(budget.try_retry(t));
  }
}

TEST_F(RetryBudgetTest, OptionsAreChecked) {  // CORE-6
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ((RetryBudgetOptions{.ratio = nan, .min_per_second = 1'000'001}.validate().size()), 2U);
  EXPECT_THROW(RetryBudget({.ratio = -0.1}), InvalidOptions);
}

TEST_F(RetryBudgetTest, ThreadsTogetherGetNoMoreThanOne) {  // RTY-5
  RetryBudget budget;
  std::atomic<std::uint64_t> retries{0};
  together(kThreads, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      budget.count_call(clock_.now());
      if (budget.try_retry(clock_.now())) ++retries;
    }
  });
  const RetryBudget::Snapshot snapshot = budget.snapshot(clock_.now());
  EXPECT_EQ(snapshot.calls, 1000U * kThreads);
  EXPECT_LE(retries, 100U + 200U * kThreads);
  EXPECT_EQ(snapshot.granted, retries);
  EXPECT_EQ(snapshot.granted + snapshot.rejected, 1000U * kThreads);
  EXPECT_EQ(granted(clock_.now(), budget), snapshot.left) << "and all that there is";
  EXPECT_EQ(retries + snapshot.left, 100U + 200U * kThreads);
}

TEST_F(RetryBudgetTest, MoreThreadsThanSlotsAreCountedToo) {  // RTY-5
  RetryBudget budget;
  std::vector<std::jthread> threads;
  constexpr int kMany = 60;
  std::barrier all_alive(kMany);  // each holds its slot until all have one
  for (int t = 0; t < kMany; ++t) {
    threads.emplace_back([&] {
      (void)ThreadSlot::current();
      all_alive.arrive_and_wait();
      for (int i = 0; i < 100; ++i) budget.count_call(clock_.now());
      all_alive.arrive_and_wait();
    });
  }
  threads.clear();
  EXPECT_EQ(budget.snapshot(clock_.now()).calls, 100U * kMany);
}

TEST_F(RetryBudgetTest, NewOptionsKeepWhatWasCounted) {  // RTY-15
  RetryBudget budget({.ratio = 0.5, .min_per_second = 0});
  for (int i = 0; i < 10; ++i) budget.count_call(clock_.now());
  EXPECT_EQ(granted(clock_.now(), budget), 5U);
  budget.apply(clock_.now(), {.ratio = 0.8, .min_per_second = 0});
  EXPECT_EQ(granted(clock_.now(), budget), 3U);
  budget.apply(clock_.now(), {.ratio = 0.1, .min_per_second = 0});
  EXPECT_EQ(granted(clock_.now(), budget), 0U);
  EXPECT_THROW(budget.apply(clock_.now(), {.ratio = -1}), InvalidOptions);
  EXPECT_EQ(budget.options().ratio, 0.1);
  EXPECT_EQ(budget.snapshot(clock_.now()).calls, 10U);
}

TEST_F(RetryBudgetTest, NewOptionsBesideCallsLoseNone) {  // RTY-15
  RetryBudget budget;
  std::atomic<int> working{kThreads - 1};
  together(kThreads, [&](int thread) {
    if (thread == 0) {
      for (std::uint32_t round = 0; working > 0; ++round) {
        budget.apply(clock_.now(), {.ratio = 0.2, .min_per_second = round % 10});
      }
      return;
    }
    for (int i = 0; i < 1000; ++i) {
      budget.count_call(clock_.now());
      (void)budget.try_retry(clock_.now());
    }
    --working;
  });
  EXPECT_EQ(budget.snapshot(clock_.now()).calls, 1000U * (kThreads - 1));
}

TEST_F(RetryBudgetTest, ItsWindowOutlivesTheProcess) {  // RTY-15
  const RetryBudgetOptions options{.ratio = 0.5, .min_per_second = 0};
  RetryBudget before(options);
  EXPECT_FALSE(before.save(clock_.now()));
  clock_.advance(300ms);
  for (int i = 0; i < 10; ++i) before.count_call(clock_.now());
  clock_.advance(4s);
  for (int i = 0; i < 20; ++i) before.count_call(clock_.now());
  EXPECT_EQ(granted(clock_.now(), before, 6), 6U);
  clock_.advance(2s);
  const auto saved = before.save(clock_.now());
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->seconds.size(), 2U);

  RetryBudget after(options);
  const TimePoint restart = TimePoint(100s + 300ms);
  after.restore(restart, *saved);
  EXPECT_EQ(after.snapshot(restart).calls, 30U);
  EXPECT_EQ(after.snapshot(restart).retries, 6U);
  EXPECT_EQ(after.snapshot(restart).left, before.snapshot(clock_.now()).left);
  EXPECT_EQ(after.snapshot(restart + 4s).calls, 20U) << "as old as they were";
  EXPECT_EQ(after.snapshot(restart + 4s).left, 4U);
  EXPECT_EQ(after.snapshot(restart + 8s).calls, 0U);
  EXPECT_EQ(after.snapshot(restart + 8s).retries, 6U) << "a second longer";
  EXPECT_EQ(after.snapshot(restart + 9s).retries, 0U);
  EXPECT_FALSE(before.save(clock_.now() + 1h));
}

TEST_F(RetryBudgetTest, ARestoredWindowGrantsNoMoreThanWhatWasSaved) {  // RTY-15
  const RetryBudgetOptions options{.ratio = 0.5, .min_per_second = 1};
  RetryBudget before(options);
  for (int second = 0; second < 12; ++second) {
    for (int i = 0; i < 4; ++i) before.count_call(clock_.now());
    (void)before.try_retry(clock_.now());
    clock_.advance(1s + 70ms);
  }
  const auto saved = before.save(clock_.now());
  ASSERT_TRUE(saved);
  for (Duration into_second = 0ns; into_second < 1s; into_second += 90ms) {
    RetryBudget after(options);
    const TimePoint restart = TimePoint(100s + into_second);
    after.restore(restart, *saved);
    for (Duration later = 0s; later < 12s; later += 1s) {
      EXPECT_LE(after.snapshot(restart + later).left, before.snapshot(clock_.now() + later).left);
    }
  }
}

TEST_F(RetryBudgetTest, ARestoredWindowOfNonsenseGrantsNothing) {  // RTY-15
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  RetryBudget budget({.ratio = 1, .min_per_second = 0});
  const TimePoint now = clock_.now();
  SavedRetryBudget saved;
  saved.seconds.push_back({.age = 10s, .calls = 5, .retries = 5});
  saved.seconds.push_back({.age = kForever, .calls = 5, .retries = 5});
  budget.restore(now, saved);
  EXPECT_EQ(budget.snapshot(now).calls, 0U);
  EXPECT_EQ(budget.snapshot(now).retries, 0U);
  for (int i = 0; i < 100; ++i) saved.seconds.push_back({.age = -1s, .calls = 0, .retries = kMost});
  saved.seconds.push_back({.age = Duration::min(), .calls = kMost, .retries = 0});
  budget.restore(now, saved);
  EXPECT_EQ(budget.snapshot(now).calls, (1U << 24) - 1);
  EXPECT_EQ(budget.snapshot(now).left, 0U);
}

// Every attempt fails and every call wants three retries, at any pace [RTY-5]. In each window, and so over the whole
// run, the load stays at 1.2 times the calls and the floor.
RC_GTEST_PROP(RetryBudgetProperty, WithEveryCallFailingTheLoadStaysBounded, ()) {  // RTY-5
  const double ratio = *rc::gen::element(0.0, 0.2, 0.5, 1.0);
  const auto floor = *rc::gen::inRange<std::uint32_t>(0, 12);
  RetryBudget budget({.ratio = ratio, .min_per_second = floor});
  ManualClock clock;
  const TimePoint begin = clock.now();
  struct Second {
    std::int64_t number;
    std::uint64_t calls = 0;
    std::uint64_t retries = 0;
  };
  std::deque<Second> history;  // naive: every second's numbers
  std::uint64_t calls = 0;
  std::uint64_t retries = 0;
  const int steps = *rc::gen::inRange(1, 80);
  for (int step = 0; step < steps; ++step) {
    const std::int64_t second = clock.now().time_since_epoch() / 1s;
    if (history.empty() || history.back().number != second) history.push_back({.number = second});
    const int burst = *rc::gen::weightedElement<int>({{2, 0}, {4, 1}, {2, 20}, {1, 400}});
    for (int call = 0; call < burst; ++call) {
      budget.count_call(clock.now());
      ++calls;
      ++history.back().calls;
      for (int retry = 0; retry < 3; ++retry) {
        std::uint64_t window_calls = 0;
        std::uint64_t window_retries = 0;
        for (const Second& past : history) {
          if (past.number <= second - 10) continue;
          window_calls += past.calls;
          window_retries += past.retries;
        }
        const auto most = static_cast<std::uint64_t>(static_cast<double>(window_calls) * ratio) + floor * 10;
        const bool expected = window_retries < most;
        RC_ASSERT(budget.try_retry(clock.now()) == expected);
        if (!expected) break;
        ++retries;
        ++history.back().retries;
      }
    }
    const double elapsed_seconds = static_cast<double>((clock.now() - begin) / 1ns) * 1e-9;
    RC_ASSERT(static_cast<double>(calls + retries) <=
              (1.0 + ratio) * static_cast<double>(calls) + floor * (elapsed_seconds + 10.0));
    clock.advance(*rc::gen::element<Duration>(0ns, 1ms, 300ms, 1s, 4s, 9s, 10s, 11s, 100s));
  }
}

TEST(AttemptBudget, SeveralCallsShareIt) {  // RTY-10
  AttemptBudget budget(3);
  EXPECT_TRUE(budget.try_take());
  EXPECT_TRUE(budget.try_take());
  EXPECT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
  budget.release();
  EXPECT_EQ(budget.left(), 1U);
  EXPECT_TRUE(budget.try_take());
  EXPECT_FALSE(budget.try_take());
}

TEST(AttemptBudget, ZeroIsNoCap) {  // RTY-6.1
  AttemptBudget budget(0);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(budget.try_take());
  budget.release();
  EXPECT_TRUE(budget.try_take());
}

TEST(AttemptBudget, ThreadsTogetherTakeNoMoreThanThereIs) {  // RTY-10
  AttemptBudget budget(1000);
  std::atomic<int> taken{0};
  together(kThreads, [&](int) {
    for (int i = 0; i < 500; ++i) taken += budget.try_take() ? 1 : 0;
  });
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(budget.left(), 0U);
}

}  // namespace
}  // namespace fuseboard
