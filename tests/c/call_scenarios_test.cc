// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The scenario set through the C callbacks, in virtual time. Only what a call runs under comes from C++: the stage's
// plan and options, which no C handle makes.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "c/call.h"
#include "fuseboard/c/call.h"
#include "tests/scenarios/scenarios.h"

namespace fuseboard {
namespace {

fuseboard_failure to_c(const Failure& failure) {
  return {.struct_size = sizeof(fuseboard_failure),
          .category = static_cast<fuseboard_category>(failure.category),
          .evidence = static_cast<fuseboard_evidence>(failure.evidence),
          .retry_after_ms = failure.retry_after ? ceil_milliseconds(*failure.retry_after) : FUSEBOARD_NONE_MS,
          .retryable = failure.retryable,
          .fallback = failure.fallback};
}

// A program that runs one call over a loop of its own.
class CProgram {
 public:
  explicit CProgram(scenarios::Stage& stage) : stage_(stage) {
    stage.on_later([this](TimePoint time, std::function<void()> event) {
      events_.emplace(time.time_since_epoch().count(), std::move(event));
    });
    fuseboard_call_callbacks callbacks = FUSEBOARD_INIT(fuseboard_call_callbacks);
    callbacks.send = [](void* user, fuseboard_call*, const fuseboard_attempt* attempt) { self(user).send(*attempt); };
    callbacks.proceed_at = [](void* user, fuseboard_call*, int64_t time) { self(user).set_timer(time); };
    callbacks.wake = [](void* user) { self(user).after(Duration::zero(), [&p = self(user)] { p.proceed(); }); };
    callbacks.ended = [](void* user, fuseboard_call*) { ++self(user).ended_; };
    call_ = new fuseboard_call({.plan = stage.plan(),
                                .options = stage.call(),
                                .clock = stage.clock(),
                                .rng = stage.rng(),
                                .callbacks = callbacks,
                                .user = this,
                                .keeps = nullptr});
  }
  ~CProgram() { fuseboard_call_destroy(call_); }
  CProgram(const CProgram&) = delete;
  CProgram& operator=(const CProgram&) = delete;

  void run() {
    proceed();
    while (!fuseboard_call_has_ended(call_)) {
      ASSERT_FALSE(events_.empty()) << "the call waits for nothing";
      const auto event = events_.extract(events_.begin());
      stage_.clock().advance_to(TimePoint(Duration(event.key())));
      event.mapped()();
    }
    EXPECT_EQ(ended_, 1);
    fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
    ASSERT_EQ(fuseboard_call_get_summary(call_, &summary), FUSEBOARD_OK);
    stage_.end(static_cast<Ending>(summary.ending));
  }

 private:
  static CProgram& self(void* user) { return *static_cast<CProgram*>(user); }

  void proceed() { EXPECT_EQ(fuseboard_call_proceed(call_), FUSEBOARD_OK) << fuseboard_last_error(); }
  std::int64_t now() const { return fuseboard_call_now_ns(call_); }
  void after(Duration delay, std::function<void()> action) {
    events_.emplace(stage_.clock().now().time_since_epoch().count() + delay.count(), std::move(action));
  }

  void send(const fuseboard_attempt& attempt) {
    EXPECT_EQ(attempt.target_name, stage_.plan()->targets()[attempt.target].name);
    const scenarios::ScriptedAttempt& met = stage_.send({.number = attempt.number, .target = attempt.target});
    after(met.takes, [this, &met, number = attempt.number] { report(number, met.report()); });
  }

  void report(std::uint32_t attempt, const AttemptReport& met) {
    fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
    const fuseboard_failure failure = met.outcome.ok() ? fuseboard_failure{} : to_c(*met.outcome.failure);
    if (!met.outcome.ok()) report.failure = &failure;
    report.answered = met.answered;
    report.did_not_run = !met.may_have_run;
    report.silent = met.silent;
    EXPECT_EQ(fuseboard_call_report(call_, attempt, &report), FUSEBOARD_OK) << fuseboard_last_error();
  }

  void set_timer(std::int64_t time) {
    if (time == timer_) return;
    timer_ = time;
    if (time == FUSEBOARD_NEVER_NS) return;
    const std::int64_t since = now();
    events_.emplace(time, [this, time, since] {
      if (timer_ != time) return;  // another time was named since
      timer_ = FUSEBOARD_NEVER_NS;
      stage_.waited(Duration(time - since));
      proceed();
    });
  }

  scenarios::Stage& stage_;
  std::multimap<std::int64_t, std::function<void()>> events_;  // of one time in the order in which they came
  fuseboard_call* call_ = nullptr;
  std::int64_t timer_ = FUSEBOARD_NEVER_NS;
  int ended_ = 0;
};

TEST(CCallbackDriver, TakesTheSameWayThroughEveryScenario) {  // PIP-4, PIP-7, RTY-9.1, RTY-9.2, RTY-9.3, FBK-7.3
  for (const scenarios::Scenario& scenario : scenarios::all()) {
    if (scenario.mends) continue;  // reports in C do not tell how an answer could be gone on with
    SCOPED_TRACE(scenario.name);
    scenarios::Stage stage(scenario);
    CProgram program(stage);
    program.run();
    EXPECT_EQ(stage.trace(), scenario.trace);
    EXPECT_EQ(stage.outstanding(), 0U);
  }
}

}  // namespace
}  // namespace fuseboard
