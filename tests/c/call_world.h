// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What tests of C calls share: targets over one set of breakers, a clock set by hand, and a program that notes what its
// callbacks are told.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "fuseboard/c/call.h"

namespace fuseboard {

inline constexpr std::int64_t kMillisecond = 1'000'000;
inline constexpr std::int64_t kSecond = 1'000'000'000;

// One caller with its callbacks.
struct Caller {
  Caller() {
    callbacks.send = [](void* user, fuseboard_call* its, const fuseboard_attempt* attempt) {
      Caller& caller = *static_cast<Caller*>(user);
      caller.sent.emplace_back(attempt->target_name);
      caller.latest = *attempt;
      if (caller.on_send) caller.on_send(its, *attempt);
    };
    callbacks.cancel = [](void* user, fuseboard_call*, uint32_t attempt) {
      static_cast<Caller*>(user)->cancelled.push_back(attempt);
    };
    callbacks.proceed_at = [](void* user, fuseboard_call*, int64_t time_ns) {
      static_cast<Caller*>(user)->timer = time_ns;
    };
    callbacks.ended = [](void* user, fuseboard_call* its) {
      Caller& caller = *static_cast<Caller*>(user);
      ++caller.ended;
      if (caller.on_ended) caller.on_ended(its);
    };
    callbacks.wake = [](void* user) { static_cast<Caller*>(user)->woken.fetch_add(1); };
  }
  ~Caller() { fuseboard_call_destroy(call); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // For fuseboard_call_run().
  void drive_by_running() {
    callbacks.proceed_at = nullptr;
    callbacks.wake = nullptr;
  }
  void begin(const fuseboard_plan* plan, const fuseboard_call_options* options = nullptr) {
    fuseboard_call_destroy(call);
    ASSERT_EQ(fuseboard_call_create(plan, options, &callbacks, this, &call), FUSEBOARD_OK) << fuseboard_last_error();
  }
  void proceed() { ASSERT_EQ(fuseboard_call_proceed(call), FUSEBOARD_OK) << fuseboard_last_error(); }

  fuseboard_status succeed(std::uint32_t attempt) {
    fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
    report.answered = true;
    return fuseboard_call_report(call, attempt, &report);
  }
  fuseboard_status fail(std::uint32_t attempt, fuseboard_category category) {
    fuseboard_failure failure;
    fuseboard_failure_init(&failure, category, FUSEBOARD_NONE_MS);
    fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
    report.failure = &failure;
    return fuseboard_call_report(call, attempt, &report);
  }

  fuseboard_call_summary summary() const {
    fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
    EXPECT_EQ(fuseboard_call_get_summary(call, &summary), FUSEBOARD_OK) << fuseboard_last_error();
    return summary;
  }
  std::string ending() const { return fuseboard_ending_name(summary().ending); }
  fuseboard_attempt_record attempt(std::size_t index) const {
    fuseboard_attempt_record attempt = FUSEBOARD_INIT(fuseboard_attempt_record);
    EXPECT_EQ(fuseboard_call_get_attempt(call, index, &attempt), FUSEBOARD_OK) << fuseboard_last_error();
    return attempt;
  }
  fuseboard_rejection_record rejection(std::size_t index) const {
    fuseboard_rejection_record rejection = FUSEBOARD_INIT(fuseboard_rejection_record);
    EXPECT_EQ(fuseboard_call_get_rejection(call, index, &rejection), FUSEBOARD_OK) << fuseboard_last_error();
    return rejection;
  }

  fuseboard_call_callbacks callbacks = FUSEBOARD_INIT(fuseboard_call_callbacks);
  std::function<void(fuseboard_call*, const fuseboard_attempt&)> on_send;
  std::function<void(fuseboard_call*)> on_ended;
  fuseboard_call* call = nullptr;
  fuseboard_attempt latest = FUSEBOARD_INIT(fuseboard_attempt);
  std::vector<std::string> sent;
  std::vector<std::uint32_t> cancelled;
  std::int64_t timer = 0;
  int ended = 0;
  std::atomic<int> woken{0};
};

class CCallTest : public testing::Test {
 protected:
  CCallTest() {
    fuseboard_breaker_options breaker;
    fuseboard_breaker_options_init(&breaker, FUSEBOARD_PRESET_PROVIDER);
    breaker.failure_threshold = 2;
    breaker.open_initial_ms = breaker.open_max_ms = 5000;
    EXPECT_EQ(fuseboard_breakers_create(&breaker, 0, read_clock, &now_, &breakers_), FUSEBOARD_OK);
    fuseboard_target_options_init(&target_);
    target_.breakers = breakers_;
    fuseboard_retry_options_init(&retry_);
    retry_.jitter = FUSEBOARD_JITTER_NONE;
    fuseboard_plan_options_init(&options_);
    options_.retry = &retry_;
    fuseboard_call_options_init(&call_);
  }
  ~CCallTest() override {
    for (fuseboard_plan* plan : plans_) fuseboard_plan_destroy(plan);
    for (const auto& [name, target] : targets_) fuseboard_target_destroy(target);
    fuseboard_breakers_destroy(breakers_);
  }

  static std::int64_t read_clock(void* now) { return *static_cast<const std::int64_t*>(now); }

  // Made by target_ where it is new.
  fuseboard_target* target(const char* name) {
    fuseboard_target*& known = targets_[name];
    if (known == nullptr) {
      target_.provider = name;
      EXPECT_EQ(fuseboard_target_create(&target_, &known), FUSEBOARD_OK) << fuseboard_last_error();
    }
    return known;
  }
  fuseboard_plan* plan(std::initializer_list<const char*> names, const fuseboard_route_options* route = nullptr) {
    std::vector<fuseboard_route> routes;
    for (const char* name : names) routes.push_back({target(name), route});
    fuseboard_plan* plan = nullptr;
    EXPECT_EQ(fuseboard_plan_create(routes.data(), routes.size(), &options_, &plan), FUSEBOARD_OK)
        << fuseboard_last_error();
    plans_.push_back(plan);
    return plan;
  }
  fuseboard_target_usage usage(const char* name) {
    fuseboard_target_usage usage = FUSEBOARD_INIT(fuseboard_target_usage);
    EXPECT_EQ(fuseboard_target_get_usage(target(name), &usage), FUSEBOARD_OK);
    return usage;
  }
  fuseboard_circuit circuit(const char* name) {
    fuseboard_circuit circuit = FUSEBOARD_INIT(fuseboard_circuit);
    EXPECT_EQ(fuseboard_breaker_snapshot(breakers_, name, nullptr, &circuit), FUSEBOARD_OK);
    return circuit;
  }
  void open(const char* name) {
    while (circuit(name).state != FUSEBOARD_CIRCUIT_OPEN) {
      fuseboard_breaker_permit* permit = nullptr;
      ASSERT_EQ(fuseboard_breaker_try_acquire(breakers_, name, nullptr, FUSEBOARD_NONE_MS, &permit, nullptr),
                FUSEBOARD_OK);
      fuseboard_failure failure;
      fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_NETWORK, FUSEBOARD_NONE_MS);
      fuseboard_breaker_settle(permit, &failure, 0);
    }
  }

  std::int64_t now_ = 3600 * kSecond;
  fuseboard_breakers* breakers_ = nullptr;
  fuseboard_target_options target_{};
  fuseboard_retry_options retry_{};
  fuseboard_plan_options options_{};
  fuseboard_call_options call_{};
  std::map<std::string, fuseboard_target*> targets_;
  std::vector<fuseboard_plan*> plans_;
};

}  // namespace fuseboard
