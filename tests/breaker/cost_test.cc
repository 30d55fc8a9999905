// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the happy path must not do: allocate, or read a clock [BRK-17.4, BRK-18.1, BRK-18.2]. Nothing is timed here.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include "fuseboard/breaker/registry.h"
#include "tests/breaker/support.h"
#include "tests/support/count_allocations.h"
#include "tests/support/counting_clock.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

constexpr BreakerOptions kQuick = {.failure_threshold = 2, .open_time = OpenTime::fixed(10s)};

TEST(BreakerCost, AClosedCircuitReadsNoClock) {  // BRK-18.1
  CountingClock clock;
  BreakerRegistry registry(kQuick, clock);
  const BreakerHandle handle = registry.handle("search");
  for (int i = 0; i < 100; ++i) {
    call(handle, Outcome::success());
    call(handle, failed(Category::invalid_request));
    call(handle, failed(Category::rate_limit));
    handle.report(Outcome::success());
    (void)handle.peek_rejection();
    (void)acquired(handle);
    auto permit = registry.try_acquire("search");
    permit->first_content(1ms);
    std::move(*permit).settle(Outcome::success());
  }
  EXPECT_EQ(clock.reads, 0);
  trip(handle, 2);
  (void)rejected(handle);
  EXPECT_GT(clock.reads, 0) << "the clock counts";
}

// In pages of its own, all but what each thread counts by itself. When they are read-only, whoever writes there dies.
class WriteProtected {
 public:
  explicit WriteProtected(const BreakerOptions& options) {
    pages_ = mmap(nullptr, sizeof(Breaker), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages_ == MAP_FAILED) throw std::bad_alloc();
    it_ = new (pages_) Breaker(options);
  }
  ~WriteProtected() {
    std::destroy_at(it_);
    munmap(pages_, sizeof(Breaker));
  }
  WriteProtected(const WriteProtected&) = delete;
  WriteProtected& operator=(const WriteProtected&) = delete;

  CircuitBreaker& breaker() noexcept { return it_->breaker; }
  bool protect() noexcept { return mprotect(pages_, sizeof(Breaker), PROT_READ) == 0; }

 private:
  struct Breaker {
    explicit Breaker(const BreakerOptions& options)
        : context(SteadyClock::instance(), 1),
          breaker(std::make_shared<const BreakerOptions>(options), "search", context) {}
    BreakerContext context;
    CircuitBreaker breaker;
  };

  void* pages_;
  Breaker* it_;
};

bool survived(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
bool died(int status) { return !survived(status); }

void call_protected(WriteProtected& it, const Outcome& outcome) {
  if (!it.protect()) std::abort();
  for (int i = 0; i < 100; ++i) call(it.breaker(), outcome);
  std::_Exit(0);
}

TEST(BreakerCost, ASuccessWritesNothingThatThreadsShareWhileNothingFails) {  // BRK-18.1
  WriteProtected it(kQuick);
  call(it.breaker(), failed());
  EXPECT_EXIT(call_protected(it, Outcome::success()), died, "") << "there is a count to clear";
  call(it.breaker(), Outcome::success());
  EXPECT_EXIT(call_protected(it, Outcome::success()), survived, "");
  EXPECT_EXIT(call_protected(it, failed()), died, "") << "a failure is counted";
}

TEST(BreakerCost, KnownKeysAreAdmittedAndSettledWithoutAllocation) {  // BRK-17.4 BRK-18.2
  BreakerRegistry registry(kQuick);
  const std::string long_name(200, 'x');
  const BreakerHandle handle = registry.handle("search");
  for (const KeyView& key : {KeyView("search"), KeyView("openai", "gpt"), KeyView(long_name)}) {
    std::move(*registry.try_acquire(key)).settle(Outcome::success());
    const std::uint64_t before = allocations;
    for (int i = 0; i < 100; ++i) {
      auto permit = registry.try_acquire(key);
      std::move(*permit).settle(Outcome::success());
      registry.report(key, Outcome::success());
      (void)registry.peek_rejection(key);
    }
    EXPECT_EQ(allocations, before);
  }
  const std::uint64_t before = allocations;
  for (int i = 0; i < 100; ++i) call(handle, Outcome::success());
  EXPECT_EQ(allocations, before);
  (void)registry.handle(long_name + "new");
  EXPECT_TRUE(allocations > before || !kAllocationsSeen) << "the allocations are counted";
}

TEST(BreakerCost, NoStateAllocates) {  // BRK-18.2
  ManualClock clock;
  BreakerRegistry registry(kQuick, clock);
  const BreakerHandle handle = registry.handle({"openai", "a model with quite a long name"});
  call(handle, Outcome::success());
  const std::uint64_t before = allocations;
  trip(handle, 2);
  EXPECT_EQ(rejected(handle).retry_after, 10s);
  clock.advance(10s);
  {
    BreakerPermit probe = acquired(handle);
    (void)rejected(handle);
    (void)handle.peek_rejection();
    clock.advance(60s);
    (void)rejected(handle);
  }
  clock.advance(10s);
  call(handle, Outcome::success());
  handle.reset();
  EXPECT_EQ(allocations, before);
}

TEST(BreakerCost, SuccessesEnterACountWindowWithoutAClock) {  // BRK-2.2 BRK-18.1
  CountingClock clock;
  CircuitBreaker breaker({.failure_rate = 0.5, .minimum_calls = 2}, "key", clock);
  for (int i = 0; i < 500; ++i) call(breaker, Outcome::success());
  EXPECT_EQ(clock.reads, 0);
  EXPECT_EQ(breaker.snapshot().window->calls, 100U);
}

// BRK-2.5 BRK-18.1
TEST(BreakerCost, WhereSlowCallsCountACallCostsAClockReadAndASecondWhereItDoesNotSayHowLongItTook) {
  CountingClock clock;
  CircuitBreaker breaker({.slow_call_rate = 0.5, .minimum_calls = 2}, "key", clock);
  for (int i = 0; i < 100; ++i) call(breaker, Outcome::success(1ms));
  EXPECT_EQ(clock.reads, 100);
  for (int i = 0; i < 100; ++i) call(breaker, Outcome::success());
  EXPECT_EQ(clock.reads, 300);
  EXPECT_FALSE(breaker.reject_if_open());
  EXPECT_FALSE(breaker.peek_rejection());
  EXPECT_EQ(clock.reads, 300) << "a look at a closed circuit needs none";
}

TEST(BreakerCost, OverridesAndLiveOptionsLeaveNoCostBehind) {  // BRK-18.1 BRK-13 BRK-14
  CountingClock clock;
  CircuitBreaker breaker(kQuick, "key", clock);
  BreakerOptions costly = kQuick;
  costly.failure_rate = 0.5;
  costly.stuck_call_age = 60s;
  breaker.apply(costly);
  breaker.set_override(OverrideKind::metrics_only, "a look first");
  call(breaker, Outcome::success());
  EXPECT_TRUE(breaker.lift_override());
  breaker.apply(kQuick);
  clock.reads = 0;
  for (int i = 0; i < 100; ++i) call(breaker, Outcome::success());
  EXPECT_EQ(clock.reads, 0);
}

TEST(BreakerCost, WindowsAndTrackedCallsDoNotAllocate) {  // BRK-2.2, BRK-18.2
  (void)ThreadSlot::current();                            // a thread's very first call may allocate
  ManualClock clock;
  for (const CallWindow window : {CallWindow::last_calls(50), CallWindow::last(10s)}) {
    CircuitBreaker breaker({.failure_threshold = 1000,
                            .failure_rate = 0.5,
                            .minimum_calls = 10,
                            .window = window,
                            .stuck_call_age = 60s,
                            .open_time = OpenTime::fixed(10s)},
                           "key", clock);
    const std::uint64_t before = allocations;
    for (int i = 0; i < 500; ++i) {
      if (auto permit = breaker.try_acquire()) std::move(*permit).settle(i % 3 == 0 ? failed() : Outcome::success());
      (void)breaker.peek_rejection();
      clock.advance(100ms);
    }
    for (int i = 0; i < 100; ++i) {
      if (auto permit = breaker.try_acquire()) std::move(*permit).settle(failed());
    }
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(breaker.state(), CircuitState::open) << "the histories must be worth something";
  }
}

TEST(BreakerCost, AKeyStaysBelowOneKibibyteOnASmallMachine) {  // 10 000 keys in 10 MiB
  EXPECT_LE(sizeof(CircuitBreaker), 576U);
}

}  // namespace
}  // namespace fuseboard
