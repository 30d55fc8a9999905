// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/fault_script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "fuseboard/core/rng.h"
#include "sim/script_player.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Opening = PlannedFault::Opening;

constexpr TimePoint kStart = TimePoint(std::chrono::hours(1));

FaultScript script(std::string_view json) {
  auto parsed = FaultScript::parse(json);
  if (!parsed) {
    for (const Problem& problem : parsed.error()) ADD_FAILURE() << problem.message();
    return {};
  }
  return *parsed;
}

Problems problems(std::string_view json) {
  const auto parsed = FaultScript::parse(json);
  return parsed ? Problems() : parsed.error();
}

PlannedFault play(TimePoint now, ScriptPlayer& player, std::uint64_t ordinal, std::string_view model = "gpt-5",
                  std::string_view path = "/v1/chat/completions") {
  PlannedFault planned;
  player.apply(now, {.ordinal = ordinal, .model = model, .path = path}, planned);
  return planned;
}

// One letter a request: f where it was refused.
std::string pattern(ScriptPlayer& player, int requests, TimePoint now = kStart) {
  std::string text;
  for (int i = 1; i <= requests; ++i) {
    text += play(now, player, static_cast<std::uint64_t>(i)).opening == Opening::kAnswer ? '.' : 'f';
  }
  return text;
}

TEST(FaultScript, ReadsEveryField) {
  const FaultScript read = script(R"({"seed": 18446744073709551615, "repeat": true, "phases": [
    {"for": "10s", "match": {"model": "gpt-*", "path": "/v1/chat/*"}, "faults": [
      {"kind": "status", "status": 529, "rate": 0.5, "retry_after": "2s"},
      {"kind": "latency", "p50": "20ms", "p99": "200ms"},
      {"kind": "reset", "rate": 0.1}, {"kind": "silence"}, {"kind": "stall", "after_tokens": 0},
      {"kind": "stream_cut"}, {"kind": "behaviour", "name": "sim-slow:1s"}]},
    {"requests": 50}]})");
  EXPECT_EQ(read.seed, UINT64_MAX);
  EXPECT_TRUE(read.repeat);
  ASSERT_EQ(read.phases.size(), 2U);
  const Phase& phase = read.phases[0];
  EXPECT_EQ(phase.lasts, 10s);
  EXPECT_EQ(phase.model, "gpt-*");
  EXPECT_EQ(phase.path, "/v1/chat/*");
  ASSERT_EQ(phase.faults.size(), 7U);
  EXPECT_EQ(phase.faults[0].status, 529);
  EXPECT_EQ(phase.faults[0].rate, 0.5);
  EXPECT_EQ(phase.faults[0].retry_after, 2s);
  EXPECT_EQ(phase.faults[1].p50, 20ms);
  EXPECT_EQ(phase.faults[1].p99, 200ms);
  EXPECT_EQ(phase.faults[4].after_tokens, 0U);
  EXPECT_EQ(phase.faults[5].after_tokens, 3U);
  EXPECT_EQ(phase.faults[6].behaviour, "sim-slow:1s");
  EXPECT_FALSE(read.phases[1].lasts.has_value());
  EXPECT_EQ(read.phases[1].requests, 50U);
  EXPECT_EQ(read.phases[1].model, "*");
}

TEST(FaultScript, ReportsAllProblemsAtOnceWithFieldValueAndAllowedValues) {
  const Problems found = problems(R"({"sede": 1, "repeat": "yes", "phases": [
    {"for": "10 s"}, {"for": "1s", "requests": 2}, {"faults": {}},
    {"requests": 0, "match": {"models": "x", "path": ""},
     "faults": [{"kind": "explode"}, {"kind": "status", "status": 200, "rate": 1.5, "p50": "1s"},
                {"kind": "latency", "p50": "2s", "p99": "1s"}, {"kind": "latency"}, {"kind": "stall", "after_tokens": -1},
                {"kind": "behaviour"}, {"kind": "behaviour", "name": "gpt-5"}, {}, 7]}]})");
  std::vector<std::string> fields;
  for (const Problem& problem : found) fields.push_back(problem.field);
  EXPECT_THAT(fields, ::testing::ElementsAre(
                          "sede", "repeat", "phases[0].for", "phases[1]", "phases[2]", "phases[2].faults",
                          "phases[3].requests", "phases[3].match.models", "phases[3].match.path",
                          "phases[3].faults[0].kind", "phases[3].faults[1].p50", "phases[3].faults[1].rate",
                          "phases[3].faults[1].status", "phases[3].faults[2].p99", "phases[3].faults[3].p50",
                          "phases[3].faults[4].after_tokens", "phases[3].faults[5].name", "phases[3].faults[6].name",
                          "phases[3].faults[7].kind", "phases[3].faults[8].kind"));
  for (const Problem& problem : found) {
    if (problem.field != "phases[3].faults[1].status") continue;
    EXPECT_EQ(problem.message(), "phases[3].faults[1].status: 200 is not allowed; allowed: 400 to 599");
  }
}

TEST(FaultScript, RefusesWhatIsNoJsonOrNoObject) {
  EXPECT_THAT(problems("{\"phases\": [").at(0).message(), HasSubstr("allowed: JSON"));
  EXPECT_THAT(problems("[]").at(0).message(), HasSubstr("an object of: seed, phases, repeat"));
  EXPECT_THAT(problems(std::string((1U << 20U) + 1, ' ')).at(0).message(), HasSubstr("at most 1048576 bytes"));
}

TEST(FaultScript, HasABoundOnPhases) {
  std::string text = R"({"phases": [)";
  for (int i = 0; i < 1000; ++i) text += R"({"requests": 1},)";
  EXPECT_EQ(script(text.substr(0, text.size() - 1) + "]}").phases.size(), 1000U);
  EXPECT_EQ(problems(text + R"({"requests": 1}]})").at(0).field, "phases");
}

TEST(ScriptPlayer, CountsTheMatchingRequestsOfAPhase) {
  ScriptPlayer player(kStart,
                      script(R"({"phases": [{"requests": 2}, {"requests": 3, "faults": [{"kind": "status"}]}]})"), 1);
  EXPECT_EQ(pattern(player, 8), "..fff...");
}

TEST(ScriptPlayer, OtherModelsAndPathsPassAndDoNotCount) {
  ScriptPlayer player(kStart, script(R"({"phases": [{"requests": 1, "match": {"model": "gpt-*", "path": "/v1/chat/*"},
                                             "faults": [{"kind": "status"}]}]})"),
                      1);
  EXPECT_EQ(play(kStart, player, 1, "claude").opening, Opening::kAnswer);
  EXPECT_EQ(play(kStart, player, 2, "gpt-5", "/v1/messages").opening, Opening::kAnswer);
  EXPECT_EQ(play(kStart, player, 3, "gpt-5").opening, Opening::kError);
  EXPECT_EQ(play(kStart, player, 4, "gpt-5").opening, Opening::kAnswer);
}

TEST(ScriptPlayer, TimeBasedPhasesFollowTheGivenClock) {
  ScriptPlayer player(kStart, script(R"({"repeat": true, "phases": [{"for": "40s"},
                                 {"for": "10s", "faults": [{"kind": "status"}]}]})"),
                      1);
  const auto up = [&](Duration at) { return play(kStart + at, player, 1).opening == Opening::kAnswer; };
  EXPECT_TRUE(up(0s));
  EXPECT_TRUE(up(39s));
  EXPECT_FALSE(up(40s));
  EXPECT_FALSE(up(49s));
  EXPECT_TRUE(up(50s));
  EXPECT_FALSE(up(50s + 45s));
  // A night later the round has not drifted: 1000 rounds of 50 s, then 41 s.
  EXPECT_FALSE(up(1000 * 50s + 41s));
  EXPECT_TRUE(up(1001 * 50s + 1s));
}

TEST(ScriptPlayer, WithoutRepeatTheLastPhaseEndsTheFaults) {
  ScriptPlayer player(kStart, script(R"({"phases": [{"for": "1s", "faults": [{"kind": "reset"}]}]})"), 1);
  EXPECT_EQ(play(kStart, player, 1).opening, Opening::kReset);
  EXPECT_EQ(play(kStart + 1s, player, 2).opening, Opening::kAnswer);
  EXPECT_EQ(play(kStart + 1h, player, 3).opening, Opening::kAnswer);
}

TEST(ScriptPlayer, MixedPhasesRepeat) {
  ScriptPlayer player(
      kStart, script(R"({"repeat": true, "phases": [{"requests": 1}, {"for": "1s", "faults": [{"kind": "status"}]}]})"),
      1);
  EXPECT_EQ(play(kStart, player, 1).opening, Opening::kAnswer);
  EXPECT_EQ(play(kStart, player, 2).opening, Opening::kError);
  EXPECT_EQ(play(kStart + 1s, player, 3).opening, Opening::kAnswer);
  EXPECT_EQ(play(kStart + 1s, player, 4).opening, Opening::kError);
}

TEST(ScriptPlayer, FatesDependOnSeedAndOrdinalAlone) {
  const FaultScript faults = script(R"({"phases": [{"for": "1h", "faults": [{"kind": "status", "rate": 0.5}]}]})");
  ScriptPlayer first(kStart, faults, 7);
  ScriptPlayer later(kStart, faults, 7);
  ScriptPlayer other(kStart, faults, 8);
  const std::string expected = pattern(first, 64);
  EXPECT_EQ(pattern(later, 64, kStart + 59min), expected);
  EXPECT_NE(pattern(other, 64), expected);
  const auto refused = std::ranges::count(expected, 'f');
  EXPECT_GT(refused, 16);
  EXPECT_LT(refused, 48);
}

TEST(ScriptPlayer, TheScriptsSeedWinsOverTheProviders) {
  const FaultScript faults =
      script(R"({"seed": 5, "phases": [{"for": "1h", "faults": [{"kind": "status", "rate": 0.5}]}]})");
  ScriptPlayer first(kStart, faults, 1);
  ScriptPlayer second(kStart, faults, 2);
  EXPECT_EQ(pattern(first, 64), pattern(second, 64));
}

TEST(ScriptPlayer, LatencyAddsUpAndLetsTheNextFaultSpeak) {
  ScriptPlayer player(kStart, script(R"({"phases": [{"for": "1h", "faults": [{"kind": "latency", "p50": "10ms"},
                                 {"kind": "latency", "p50": "5ms"}, {"kind": "status", "status": 418}]}]})"),
                      1);
  const PlannedFault planned = play(kStart, player, 1);
  EXPECT_EQ(planned.wait, 15ms);
  EXPECT_EQ(planned.status, 418);
  EXPECT_EQ(planned.behaviour, "script:status");
}

TEST(ScriptPlayer, AStreamCutLeavesARefusalAlone) {
  ScriptPlayer player(
      kStart, script(R"({"phases": [{"for": "1h", "faults": [{"kind": "stream_cut", "after_tokens": 2}]}]})"), 1);
  PlannedFault refused;
  refused.opening = Opening::kError;
  refused.behaviour = "sim-503";
  player.apply(kStart, {.ordinal = 1, .model = "sim-503", .path = "/"}, refused);
  EXPECT_EQ(refused.behaviour, "sim-503");
  EXPECT_EQ(play(kStart, player, 2).ending, PlannedFault::Ending::kCut);
  EXPECT_EQ(play(kStart, player, 3).after_tokens, 2U);
}

TEST(ScriptPlayer, ABehaviourTakesThePlaceOfTheNames) {
  ScriptPlayer player(
      kStart, script(R"({"phases": [{"for": "1h", "faults": [{"kind": "behaviour", "name": "sim-stream-cut:9"}]}]})"),
      1);
  const PlannedFault planned = play(kStart, player, 1);
  EXPECT_EQ(planned.behaviour, "script:sim-stream-cut");
  EXPECT_EQ(planned.after_tokens, 9U);
}

TEST(Latency, HasTheAskedMedianAndTail) {
  Rng rng(3);
  std::vector<double> samples;
  for (int i = 0; i < 20'000; ++i) {
    const double first = rng.uniform();
    samples.push_back(static_cast<double>(sample_latency(20ms, 200ms, first, rng.uniform()).count()) / 1e6);
  }
  std::ranges::sort(samples);
  EXPECT_NEAR(samples[10'000], 20, 1);
  EXPECT_NEAR(samples[19'800], 200, 25);
  EXPECT_LE(samples.back(), 2000);
  EXPECT_EQ(sample_latency(20ms, 20ms, 0.3, 0.3), 20ms);
}

TEST(DemoFaults, APrimaryFailsForTenSecondsInEveryMinute) {
  ScriptPlayer player(kStart, demo_faults(), 1);
  int down = 0;
  for (int second = 0; second < 60; ++second) {
    int refused = 0;
    for (int i = 0; i < 10; ++i) {
      const auto ordinal = static_cast<std::uint64_t>(second * 10 + i + 1);
      refused += play(kStart + second * 1s, player, ordinal).opening == Opening::kError ? 1 : 0;
    }
    down += refused == 10 ? 1 : 0;
  }
  EXPECT_EQ(down, 10);
}

}  // namespace
}  // namespace fuseboard::sim
