// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/cache_policy.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>

namespace fuseboard {
namespace {

CacheControl control(std::string_view line) {
  CacheControl control;
  control.read(line);
  return control;
}

TEST(CacheControl, IsReadWhateverItsCaseAndNeighbours) {  // CCH-5
  EXPECT_EQ(control("no-cache"), (CacheControl{.no_cache = true}));
  EXPECT_EQ(control("No-Store"), (CacheControl{.no_store = true}));
  EXPECT_EQ(control("max-age=0 ,\tno-store,no-cache"), (CacheControl{.no_cache = true, .no_store = true}));
  EXPECT_EQ(control("no-cache=\"set-cookie, x\""), (CacheControl{.no_cache = true}));
  EXPECT_EQ(control(",, no-cache ,"), (CacheControl{.no_cache = true}));
}

TEST(CacheControl, IsNotReadOutOfOtherWords) {  // CCH-5
  for (const char* line : {"", ",", "no-cache-please", "x-no-store", "no cache", "nocache", "max-age=\"no-cache\"",
                           "x=\"a, no-store\"", "x=\"\\\", no-store\"", "x=\"open, no-cache", "=no-store"}) {
    EXPECT_EQ(control(line), CacheControl{}) << line;
  }
}

TEST(CacheControl, LinesAddUp) {  // CCH-5
  CacheControl both = control("no-cache");
  both.read("no-store");
  EXPECT_EQ(both, (CacheControl{.no_cache = true, .no_store = true}));
}

TEST(CachePolicy, OnlyTemperatureZeroIsAnsweredFromTheCache) {  // CCH-5
  EXPECT_EQ(decide_cache({.temperature = 0.0}), (CacheDecision{.lookup = true, .share = true, .store = true}));
  EXPECT_TRUE(decide_cache({.temperature = -0.0}).lookup);
  const CacheDecision sampled = {.why_not = CacheBypass::sampled};
  EXPECT_EQ(decide_cache({.temperature = 0.1}), sampled);
  EXPECT_EQ(decide_cache({.temperature = 1e-300}), sampled);
  EXPECT_EQ(decide_cache({.temperature = std::nullopt}), sampled) << "providers sample by default";
  EXPECT_EQ(decide_cache({.temperature = std::numeric_limits<double>::quiet_NaN()}), sampled);
}

TEST(CachePolicy, AModelMayOptInToReuseSampledAnswers) {  // CCH-5
  EXPECT_TRUE(decide_cache({.nondeterministic = true}).lookup);
  EXPECT_TRUE(decide_cache({.nondeterministic = true, .temperature = 0.7}).share);
}

TEST(CachePolicy, NoCacheIsFreshAndStoresNoStoreDoesNeither) {  // CCH-5
  EXPECT_EQ(decide_cache({.temperature = 0.0, .control = {.no_cache = true}}),
            (CacheDecision{.store = true, .why_not = CacheBypass::no_cache}));
  EXPECT_EQ(decide_cache({.nondeterministic = true, .control = {.no_cache = true, .no_store = true}}),
            (CacheDecision{.why_not = CacheBypass::no_store}));
  EXPECT_FALSE(decide_cache({.control = {.no_cache = true}}).store) << "a sampled answer is not kept either";
}

TEST(CachePolicy, AModelWithoutACacheHasNone) {  // CCH-5
  EXPECT_EQ(decide_cache({.enabled = false, .nondeterministic = true, .temperature = 0.0}),
            (CacheDecision{.why_not = CacheBypass::disabled}));
}

TEST(CachePolicy, OnlyCompleteSuccessesAreKept) {  // CCH-5
  const CacheDecision keep = {.store = true};
  EXPECT_TRUE(cacheable(keep, {.succeeded = true, .complete = true}));
  EXPECT_FALSE(cacheable(keep, {.succeeded = false, .complete = true}));
  EXPECT_FALSE(cacheable(keep, {.succeeded = true, .complete = false})) << "a cut stream";
  EXPECT_FALSE(cacheable(keep, {.succeeded = true, .complete = true, .one_answer = false}));
  EXPECT_FALSE(cacheable({.lookup = true}, {.succeeded = true, .complete = true}));
}

TEST(CachePolicy, EveryBypassHasAName) {  // CCH-5
  EXPECT_EQ(name(CacheBypass::none), "none");
  EXPECT_EQ(name(CacheBypass::no_store), "no_store");
}

}  // namespace
}  // namespace fuseboard
