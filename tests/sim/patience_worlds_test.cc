// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The defaults of patience in virtual time, with 1, 10 and 100 callers [RTY-11.1 to RTY-14.9]. Each world prints its
// line of the table in docs/performance.md.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "patience_world.h"

namespace fuseboard::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Duration between(Rng& rng, Duration from, Duration to) {
  return from + Duration(static_cast<std::int64_t>(rng.uniform() * static_cast<double>((to - from).count())));
}

// A stream shows that it reasons soon after it was asked.
Manner reasoning(Duration, Rng& rng) {
  return {.answers = between(rng, seconds(20), seconds(120)), .works = between(rng, seconds(1), seconds(3))};
}
Manner usual(Rng& rng) { return {.answers = between(rng, seconds(1), seconds(5))}; }
Temper silent_between(Duration from, Duration to) {
  return [from, to](Duration at, Rng& rng) { return at >= from && at < to ? Manner{} : usual(rng); };
}
Temper hanging(double share) {
  return [share](Duration, Rng& rng) { return rng.uniform() < share ? Manner{} : usual(rng); };
}
Manner sometimes_slow(Duration, Rng& rng) { return rng.uniform() < 0.03 ? Manner{.answers = seconds(50)} : usual(rng); }

struct Crowd {
  int callers;
  bool streaming;
};

class PatienceWorlds : public testing::TestWithParam<Crowd> {
 protected:
  PatienceWorld world(std::string name, Temper temper) {
    PatienceWorld world{.name = std::move(name),
                        .temper = std::move(temper),
                        .streaming = GetParam().streaming,
                        .callers = GetParam().callers};
    if (world.callers == 100) world.lasts = world.counted_to = minutes(15);  // as many calls as it takes
    return world;
  }
  static PatienceFigures live(const PatienceWorld& world) {
    PatienceFigures figures = live_through(world);
    std::printf("%s\n", to_row(world, figures).c_str());
    return figures;
  }
};

TEST_P(PatienceWorlds, AReasoningModelIsGivenItsTime) {  // RTY-11.6
  PatienceWorld cold = world("a: reasoning, cold", reasoning);
  cold.counted_to = minutes(10);
  EXPECT_EQ(live(cold).opened, 0U);
  PatienceWorld warm = world("a: reasoning, warm", reasoning);
  warm.counted_from = minutes(10);
  if (GetParam().callers == 1) warm.lasts = warm.counted_to = minutes(240);
  const PatienceFigures figures = live(warm);
  EXPECT_EQ(figures.opened, 0U);
  EXPECT_EQ(figures.failed, 0U);
  EXPECT_GE(figures.chosen, 0.95);
  EXPECT_LE(figures.attempts_per_call, 1.1);
}

TEST_P(PatienceWorlds, ASilentTargetIsLeftAndComeBackTo) {  // RTY-14.1, RTY-14.7
  PatienceWorld silent = world("b: silent for 10 min", silent_between(minutes(10), minutes(20)));
  silent.counted_from = minutes(10);
  silent.lasts = silent.counted_to = minutes(20);
  silent.silent_from = minutes(10);
  const PatienceFigures during = live(silent);
  EXPECT_EQ(during.failed, 0U);
  EXPECT_EQ(during.opened_silent, 1U);
  EXPECT_LE(during.nobody_waits_after, GetParam().callers == 1 ? minutes(3) : seconds(40));
  PatienceWorld back = world("b: back", silent_between(minutes(10), minutes(20)));
  back.lasts = back.counted_to = minutes(28);
  back.counted_from = minutes(24);
  const PatienceFigures after = live(back);
  EXPECT_GE(after.chosen, 0.99);
}

TEST_P(PatienceWorlds, OneThatIsSilentFromTheFirstCallIsLeft) {  // RTY-14.1
  PatienceWorld silent = world("e: silent from the start", silent_between(Duration::zero(), minutes(60)));
  silent.silent_from = Duration::zero();
  const PatienceFigures figures = live(silent);
  EXPECT_EQ(figures.failed, 0U);
  EXPECT_GE(figures.opened_silent, 1U);
  EXPECT_LE(figures.p50, seconds(3));
  EXPECT_LE(figures.longest, minutes(5));
}

TEST_P(PatienceWorlds, OneThatHangsNowAndThenIsNeitherLeftNorWaitedFor) {  // RTY-11.11, RTY-14.4
  for (const auto& [name, share] : {std::pair{"c: hangs on half", 0.5}, std::pair{"c: hangs on a tenth", 0.1}}) {
    PatienceWorld hangs = world(name, hanging(share));
    hangs.counted_from = minutes(5);
    if (GetParam().callers == 1) hangs.lasts = hangs.counted_to = minutes(240);
    const PatienceFigures figures = live(hangs);
    EXPECT_EQ(figures.opened, 0U);
    EXPECT_EQ(figures.failed, 0U);
    EXPECT_LE(figures.longest, minutes(2)) << "total is 10 min";
  }
}

TEST_P(PatienceWorlds, OneThatIsSlowNowAndThenOpensNothing) {  // RTY-11.2
  const PatienceFigures figures = live(world("d: slow now and then", sometimes_slow));
  EXPECT_EQ(figures.opened, 0U);
  EXPECT_EQ(figures.failed, 0U);
  EXPECT_GE(figures.chosen, 0.95);
}

TEST_P(PatienceWorlds, TheOnlyTargetIsWaitedForAndNeverSilent) {  // RTY-14.6
  for (const auto& [name, temper] : {std::pair{"f: alone, reasoning", Temper(reasoning)},
                                     std::pair{"f: alone, slow now and then", Temper(sometimes_slow)}}) {
    PatienceWorld alone = world(name, temper);
    alone.alone = true;
    const PatienceFigures figures = live(alone);
    EXPECT_EQ(figures.opened, 0U);
    EXPECT_EQ(figures.failed, 0U);
    EXPECT_EQ(figures.attempts_per_call, 1.0);
  }
  PatienceWorld silent = world("f: alone, silent for 10 min", silent_between(minutes(10), minutes(20)));
  silent.alone = true;
  silent.counted_from = minutes(22);
  silent.lasts = silent.counted_to = minutes(26);
  const PatienceFigures back = live(silent);
  EXPECT_EQ(back.opened_silent, 0U);
  EXPECT_GE(back.chosen, 1.0);
}

INSTANTIATE_TEST_SUITE_P(Crowds, PatienceWorlds,
                         testing::Values(Crowd{1, true}, Crowd{10, true}, Crowd{100, true}, Crowd{1, false},
                                         Crowd{10, false}, Crowd{100, false}),
                         [](const auto& instance) {
                           return std::to_string(instance.param.callers) +
                                  (instance.param.streaming ? "_streams" : "_plain");
                         });

}  // namespace
}  // namespace fuseboard::sim
