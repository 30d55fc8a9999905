// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls through the public C API: how they are driven, destroyed, woken, and what they tell.

#include "fuseboard/c/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "call_world.h"

namespace fuseboard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(CCallTest, ACallGoesOverItsTargetsAndTellsTheWay) {  // PIP-4, PIP-6.1, RTY-1.1
  retry_.max_attempts = 2;
  Caller caller;
  caller.begin(plan({"a", "b"}));
  EXPECT_THAT(caller.sent, IsEmpty()) << "nothing before it is told to";
  caller.proceed();
  EXPECT_EQ(caller.latest.total_by_ns, now_ + 600 * kSecond);
  EXPECT_EQ(caller.latest.connect_by_ns, now_ + 5 * kSecond);
  now_ += 20 * kMillisecond;
  ASSERT_EQ(caller.fail(1, FUSEBOARD_CATEGORY_OVERLOADED), FUSEBOARD_OK);
  EXPECT_EQ(caller.timer, now_ + 500 * kMillisecond);
  caller.proceed();
  EXPECT_THAT(caller.sent, ElementsAre("a")) << "not before its time";
  now_ = caller.timer;
  caller.proceed();
  ASSERT_EQ(caller.fail(2, FUSEBOARD_CATEGORY_OVERLOADED), FUSEBOARD_OK);
  EXPECT_FALSE(fuseboard_call_has_ended(caller.call));
  ASSERT_EQ(caller.succeed(3), FUSEBOARD_OK);
  EXPECT_TRUE(fuseboard_call_has_ended(caller.call));
  EXPECT_EQ(caller.ended, 1);
  EXPECT_THAT(caller.sent, ElementsAre("a", "a", "b"));

  const fuseboard_call_summary summary = caller.summary();
  EXPECT_EQ(summary.ending, FUSEBOARD_ENDING_SUCCESS);
  EXPECT_EQ(summary.served_by, 1);
  EXPECT_EQ(summary.ended_ns - summary.started_ns, 520 * kMillisecond);
  ASSERT_EQ(summary.attempt_count, 3U);
  const fuseboard_attempt_record first = caller.attempt(0);
  EXPECT_EQ(first.target, 0U);
  EXPECT_EQ(first.category, FUSEBOARD_CATEGORY_OVERLOADED);
  EXPECT_EQ(first.verdict, FUSEBOARD_VERDICT_FAILURE);
  EXPECT_EQ(first.duration_ns, 20 * kMillisecond);
  EXPECT_EQ(first.first_content_ns, FUSEBOARD_NONE_NS);
  EXPECT_EQ(caller.attempt(1).waited_ns, 500 * kMillisecond);
  EXPECT_EQ(caller.attempt(2).category, FUSEBOARD_CATEGORY_NONE);
  fuseboard_wait_record wait = FUSEBOARD_INIT(fuseboard_wait_record);
  ASSERT_EQ(fuseboard_call_get_wait(caller.call, 0, &wait), FUSEBOARD_OK);
  EXPECT_EQ(wait.reason, FUSEBOARD_WAIT_BACKOFF);
  EXPECT_EQ(wait.duration_ns, 500 * kMillisecond);
  EXPECT_EQ(fuseboard_call_get_wait(caller.call, 1, &wait), FUSEBOARD_NOT_FOUND);
}

TEST_F(CCallTest, TheExplanationFitsTheBuffer) {  // PIP-6.3
  options_.name = "größer";
  Caller caller;
  caller.begin(plan({"a"}));
  caller.proceed();
  caller.succeed(1);
  std::size_t length = 0;
  ASSERT_EQ(fuseboard_call_explain(caller.call, nullptr, 0, &length), FUSEBOARD_OK);
  std::string whole(length + 1, 'x');
  ASSERT_EQ(fuseboard_call_explain(caller.call, whole.data(), whole.size(), nullptr), FUSEBOARD_OK);
  EXPECT_EQ(whole.back(), '\0');
  EXPECT_THAT(whole, HasSubstr("call to 'größer': success"));
  EXPECT_THAT(whole, HasSubstr("served by a"));
  std::array<char, 16> small{};
  const std::string cut = "call to 'gr";
  ASSERT_EQ(fuseboard_call_explain(caller.call, small.data(), cut.size() + 2, &length), FUSEBOARD_OK);
  EXPECT_EQ(small.data(), cut) << "not within a character";
  EXPECT_EQ(length, whole.size() - 1);
  EXPECT_EQ(fuseboard_call_explain(caller.call, nullptr, 1, nullptr), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CCallTest, AHedgeStartsBesideASlowAttemptAndTheLoserIsCancelled) {  // RTY-9.1, RTY-9.2
  options_.hedge = true;
  options_.hedge_after_ms = 300;
  Caller caller;
  caller.begin(plan({"a", "b"}));
  caller.proceed();
  EXPECT_EQ(caller.timer, now_ + 300 * kMillisecond);
  now_ = caller.timer;
  caller.proceed();
  EXPECT_THAT(caller.sent, ElementsAre("a", "b"));
  EXPECT_THAT(caller.cancelled, IsEmpty());
  ASSERT_EQ(caller.succeed(2), FUSEBOARD_OK);
  EXPECT_THAT(caller.cancelled, ElementsAre(1U));
  EXPECT_EQ(caller.succeed(1), FUSEBOARD_NOT_FOUND);
  EXPECT_STREQ(fuseboard_last_error(), "nobody needs this attempt any more");
  EXPECT_EQ(caller.ended, 1);
  EXPECT_TRUE(caller.summary().hedged);
  EXPECT_TRUE(caller.attempt(1).hedge || caller.attempt(0).hedge);
  EXPECT_EQ(circuit("a").neutral, 1U);
}

TEST_F(CCallTest, AStreamIsCommittedByItsFirstContent) {  // RTY-3.4, RTY-8.1
  call_.streaming = true;
  Caller caller;
  caller.begin(plan({"a", "b"}), &call_);
  caller.proceed();
  EXPECT_EQ(caller.latest.headers_by_ns, now_ + 30 * kSecond);
  EXPECT_EQ(caller.latest.idle_ns, 30 * kSecond);
  EXPECT_EQ(fuseboard_call_accepted(caller.call, 1), FUSEBOARD_OK);
  EXPECT_EQ(fuseboard_call_accepted(caller.call, 2), FUSEBOARD_NOT_FOUND);
  now_ += 40 * kMillisecond;
  EXPECT_EQ(fuseboard_call_first_content(caller.call, 1), FUSEBOARD_OK);
  EXPECT_EQ(fuseboard_call_first_content(caller.call, 7), FUSEBOARD_NOT_FOUND);
  EXPECT_EQ(fuseboard_call_observe(caller.call, 1, 10, 0, 1), FUSEBOARD_OK);
  EXPECT_EQ(fuseboard_call_observe(caller.call, 2, 10, 0, 1), FUSEBOARD_NOT_FOUND);
  ASSERT_EQ(caller.fail(1, FUSEBOARD_CATEGORY_NETWORK), FUSEBOARD_OK);
  EXPECT_EQ(caller.ending(), "interrupted");
  EXPECT_EQ(caller.attempt(0).first_content_ns, 40 * kMillisecond);
}

TEST_F(CCallTest, WhoLeavesHasHisAttemptCancelled) {  // PIP-1, PIP-7
  target_.concurrency = 1;
  Caller caller;
  caller.begin(plan({"a"}));
  caller.proceed();
  EXPECT_EQ(usage("a").in_flight, 1U);
  ASSERT_EQ(fuseboard_call_leave(caller.call), FUSEBOARD_OK);
  EXPECT_THAT(caller.cancelled, ElementsAre(1U));
  EXPECT_EQ(caller.ending(), "cancelled");
  EXPECT_EQ(usage("a").in_flight, 0U);
  EXPECT_EQ(caller.ended, 1);
}

TEST_F(CCallTest, ACallMayBeDestroyedByItsOwnCallbacks) {  // PIP-7
  target_.concurrency = 1;
  const auto destroy = [](fuseboard_call* call) { fuseboard_call_destroy(call); };
  Caller sender;
  sender.begin(plan({"a", "b"}));
  sender.on_send = [&](fuseboard_call* call, const fuseboard_attempt&) { destroy(call); };
  EXPECT_EQ(fuseboard_call_proceed(std::exchange(sender.call, nullptr)), FUSEBOARD_OK);
  EXPECT_THAT(sender.sent, ElementsAre("a"));
  EXPECT_THAT(sender.cancelled, IsEmpty()) << "no callback after it";
  EXPECT_EQ(sender.ended, 0);
  EXPECT_EQ(usage("a").in_flight, 0U);

  Caller ender;
  ender.begin(plan({"a"}));
  ender.on_ended = destroy;
  ender.on_send = [&](fuseboard_call*, const fuseboard_attempt& attempt) { ender.succeed(attempt.number); };
  EXPECT_EQ(fuseboard_call_proceed(ender.call), FUSEBOARD_OK);
  ender.call = nullptr;
  EXPECT_EQ(ender.ended, 1);

  Caller runner;
  runner.drive_by_running();
  runner.begin(plan({"a"}));
  runner.on_send = [&](fuseboard_call* call, const fuseboard_attempt&) { destroy(call); };
  EXPECT_EQ(fuseboard_call_run(std::exchange(runner.call, nullptr)), FUSEBOARD_OK);
  EXPECT_EQ(usage("a").in_flight, 0U);
  EXPECT_EQ(circuit("a").in_flight, 0U);
}

TEST_F(CCallTest, ACallThatIsDestroyedGivesBackWhatItHolds) {  // PIP-7
  target_.concurrency = 1;
  Caller caller;
  caller.begin(plan({"a"}));
  caller.proceed();
  EXPECT_EQ(circuit("a").in_flight, 1U);
  fuseboard_call_destroy(std::exchange(caller.call, nullptr));
  EXPECT_EQ(circuit("a").in_flight, 0U);
  EXPECT_EQ(usage("a").in_flight, 0U);
  EXPECT_THAT(caller.cancelled, IsEmpty());
}

TEST_F(CCallTest, HandlesMayGoInAnyOrder) {  // PIP-5, PIP-7
  Caller caller;
  caller.begin(plan({"a", "b"}));
  fuseboard_breakers_destroy(std::exchange(breakers_, nullptr));
  for (auto& [name, target] : targets_) fuseboard_target_destroy(std::exchange(target, nullptr));
  fuseboard_plan_destroy(plans_.back());
  plans_.clear();
  targets_.clear();
  caller.proceed();
  EXPECT_STREQ(caller.latest.target_name, "a");
  ASSERT_EQ(caller.succeed(1), FUSEBOARD_OK);
  EXPECT_EQ(caller.ending(), "success");
}

TEST_F(CCallTest, AnotherPlanHasWhatItsTargetsHaveLearned) {  // PIP-5
  Caller before;
  fuseboard_plan* const old_plan = plan({"a", "b"});
  before.begin(old_plan);
  before.proceed();
  open("a");
  Caller after;
  after.begin(plan({"a", "c"}));
  after.proceed();
  EXPECT_THAT(after.sent, ElementsAre("c"));
  EXPECT_EQ(after.rejection(0).reason, FUSEBOARD_REASON_CIRCUIT_OPEN);
  EXPECT_EQ(after.rejection(0).consecutive_failures, 2U);
  EXPECT_EQ(after.rejection(0).kind, FUSEBOARD_BUDGET_NONE);
  before.fail(1, FUSEBOARD_CATEGORY_NETWORK);
  EXPECT_THAT(before.sent, ElementsAre("a", "b")) << "it keeps the plan it began with";
  EXPECT_STREQ(fuseboard_plan_target_name(old_plan, 1), "b");
  EXPECT_EQ(fuseboard_plan_target_name(old_plan, 2), nullptr);
  EXPECT_EQ(fuseboard_plan_target_name(nullptr, 0), nullptr);
}

TEST_F(CCallTest, AWakeMayComeFromAnyThread) {  // LIM-7.3
  target_.concurrency = 1;
  target_.queue_max_wait_ms = 5000;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one);
  first.proceed();
  Caller second;
  second.begin(one);
  second.proceed();
  EXPECT_THAT(second.sent, IsEmpty());
  EXPECT_EQ(usage("a").waiting, 1U);
  const int before = second.woken.load();
  std::thread([&] { first.succeed(1); }).join();
  EXPECT_GT(second.woken.load(), before);
  EXPECT_THAT(second.sent, IsEmpty()) << "on its own thread alone";
  second.proceed();
  EXPECT_THAT(second.sent, ElementsAre("a"));
  second.succeed(1);
  EXPECT_EQ(second.ending(), "success");
  EXPECT_EQ(usage("a").waiting, 0U);
}

TEST_F(CCallTest, DestroyingACallWaitsForItsWake) {  // PIP-7
  target_.concurrency = 1;
  target_.queue_max_wait_ms = 5000;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one);
  first.proceed();
  struct Wake {
    std::promise<void> began, may_end;
    std::atomic<bool> over{false};
  } wake;
  fuseboard_call_callbacks callbacks = first.callbacks;
  callbacks.send = [](void*, fuseboard_call*, const fuseboard_attempt*) {};
  callbacks.proceed_at = [](void*, fuseboard_call*, int64_t) {};
  callbacks.wake = [](void* user) {
    Wake& woken = *static_cast<Wake*>(user);
    woken.began.set_value();
    woken.may_end.get_future().wait();
    woken.over = true;
  };
  fuseboard_call* second = nullptr;
  ASSERT_EQ(fuseboard_call_create(one, nullptr, &callbacks, &wake, &second), FUSEBOARD_OK);
  ASSERT_EQ(fuseboard_call_proceed(second), FUSEBOARD_OK);

  std::thread waker([&] { first.succeed(1); });
  wake.began.get_future().wait();
  std::atomic<bool> destroyed{false};
  bool was_over = false;
  std::thread destroyer([&] {
    fuseboard_call_destroy(second);
    was_over = wake.over;
    destroyed = true;
  });
  // Time enough to go wrong.
  for (int i = 0; i < 10'000 && !destroyed; ++i) std::this_thread::yield();
  wake.may_end.set_value();
  waker.join();
  destroyer.join();
  EXPECT_TRUE(was_over);
}

TEST_F(CCallTest, CallsThatWaitMayBeDestroyedWhileOthersMakeRoom) {  // PIP-7
  target_.concurrency = 1;
  target_.queue_max_wait_ms = 5000;
  fuseboard_plan* const one = plan({"a"});
  // The callbacks' memory goes with the call, as sanitizers would show.
  std::atomic<bool> done{false};
  std::thread other([&] {
    while (!done.load()) {
      Caller busy;
      busy.begin(one);
      busy.proceed();
      if (!busy.sent.empty()) busy.succeed(1);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto caller = std::make_unique<Caller>();
    caller->begin(one);
    caller->proceed();
  }
  done = true;
  other.join();
  EXPECT_EQ(usage("a").in_flight, 0U);
  EXPECT_EQ(usage("a").waiting, 0U);
}

TEST_F(CCallTest, WithoutAWakeTheCallDoesNotWaitForWhatHasNoTime) {  // LIM-7.3, PIP-4
  target_.concurrency = 1;
  target_.queue_max_wait_ms = 5000;
  fuseboard_plan* const one = plan({"a"});
  Caller first;
  first.begin(one);
  first.proceed();
  Caller second;
  second.callbacks.wake = nullptr;
  second.begin(one);
  second.proceed();
  EXPECT_EQ(second.ending(), "rate_limited");
  EXPECT_EQ(second.rejection(0).reason, FUSEBOARD_REASON_CONCURRENCY_LIMITED);
}

TEST_F(CCallTest, AnOperatorsResetWakesWhoWaitsForTheCircuit) {  // RTY-4.4
  open("a");
  Caller caller;
  caller.begin(plan({"a"}));
  caller.proceed();
  EXPECT_EQ(caller.timer, now_ + 5 * kSecond);
  const int before = caller.woken.load();
  ASSERT_EQ(fuseboard_breaker_reset(breakers_, "a", nullptr), FUSEBOARD_OK);
  EXPECT_GT(caller.woken.load(), before);
  caller.proceed();
  EXPECT_THAT(caller.sent, ElementsAre("a"));
}

TEST_F(CCallTest, ABlockingRunNeedsOneCallback) {  // PIP-4, RTY-1.1
  retry_.base_ms = 0;
  Caller caller;
  caller.drive_by_running();
  caller.callbacks.cancel = nullptr;
  caller.callbacks.ended = nullptr;
  caller.begin(plan({"a", "b"}));
  caller.on_send = [&](fuseboard_call*, const fuseboard_attempt& attempt) {
    if (attempt.number < 3) {
      caller.fail(attempt.number, FUSEBOARD_CATEGORY_NETWORK);
    } else {
      caller.succeed(attempt.number);
    }
    EXPECT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_INVALID_ARGUMENT) << "not within itself";
  };
  ASSERT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_OK);
  EXPECT_THAT(caller.sent, ElementsAre("a", "a", "b")) << "two failures open the circuit";
  EXPECT_EQ(caller.ending(), "success");
  EXPECT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_OK) << "it has ended already";
  EXPECT_EQ(fuseboard_call_proceed(caller.call), FUSEBOARD_INVALID_ARGUMENT);
}

TEST_F(CCallTest, AnAttemptThatABlockingSendDoesNotReportHasFailed) {  // PIP-7
  Caller caller;
  caller.drive_by_running();
  caller.begin(plan({"a"}));
  ASSERT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_OK);
  EXPECT_EQ(caller.ending(), "failed");
  EXPECT_EQ(caller.attempt(0).category, FUSEBOARD_CATEGORY_EXECUTION_ERROR);
  EXPECT_EQ(circuit("a").in_flight, 0U);
}

TEST_F(CCallTest, ABlockingRunCanBeStoppedFromAnotherThread) {  // PIP-1
  retry_.base_ms = 50'000;
  retry_.max_ms = 50'000;
  options_.overall_deadline_ms = FUSEBOARD_NO_TIMEOUT;
  Caller caller;
  caller.drive_by_running();
  caller.begin(plan({"a"}));
  std::promise<void> failed;
  caller.on_send = [&](fuseboard_call*, const fuseboard_attempt& attempt) {
    caller.fail(attempt.number, FUSEBOARD_CATEGORY_NETWORK);
    failed.set_value();
  };
  std::thread stopper([&] {
    failed.get_future().wait();
    fuseboard_call_stop(caller.call);
  });
  EXPECT_EQ(fuseboard_call_run(caller.call), FUSEBOARD_OK);
  stopper.join();
  EXPECT_EQ(caller.ending(), "cancelled");
  EXPECT_THAT(caller.sent, ElementsAre("a"));
}

TEST_F(CCallTest, NoExceptionComesOutAndTheCallThatMetOneIsAbandoned) {  // PIP-7
  target_.concurrency = 1;
  Caller caller;
  caller.begin(plan({"a"}));
  caller.on_send = [](fuseboard_call*, const fuseboard_attempt&) { throw std::runtime_error("as it must not"); };
  EXPECT_EQ(fuseboard_call_proceed(caller.call), FUSEBOARD_INTERNAL_ERROR);
  EXPECT_STREQ(fuseboard_last_error(), "as it must not");
  EXPECT_EQ(usage("a").in_flight, 0U);
  EXPECT_EQ(circuit("a").in_flight, 0U);
  EXPECT_EQ(caller.ended, 0);
  EXPECT_EQ(fuseboard_call_proceed(caller.call), FUSEBOARD_INTERNAL_ERROR);
  EXPECT_EQ(caller.succeed(1), FUSEBOARD_INTERNAL_ERROR);
  fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
  EXPECT_EQ(fuseboard_call_get_summary(caller.call, &summary), FUSEBOARD_INTERNAL_ERROR);
  EXPECT_STREQ(fuseboard_last_error(), "an earlier error has ended the call");
  EXPECT_FALSE(fuseboard_call_has_ended(caller.call));
}

}  // namespace
}  // namespace fuseboard
