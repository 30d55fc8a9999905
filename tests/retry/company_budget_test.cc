// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/retry/company_budget.h"

#include <gtest/gtest.h>

#include <vector>

namespace fuseboard {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

int taken(TimePoint now, CompanyBudget& budget, int most = 1000) {
  int count = 0;
  while (count < most && budget.try_take(now)) ++count;
  return count;
}

TEST(CompanyBudget, GivesOneEveryTenSecondsWithoutAnyCalls) {  // RTY-11.10
  CompanyBudget budget;
  EXPECT_EQ(taken(kStart, budget), 1);
  EXPECT_EQ(taken(kStart + seconds(9), budget), 0);
  EXPECT_EQ(taken(kStart + seconds(10), budget), 1) << "none is saved up";
  EXPECT_EQ(taken(kStart + minutes(5), budget), 1);
}

TEST(CompanyBudget, GivesFivePercentOfTheCallsOfTheLastTenMinutesBesides) {  // RTY-11.10
  CompanyBudget budget;
  for (int i = 0; i < 100; ++i) budget.count_call(kStart);
  EXPECT_EQ(taken(kStart, budget), 5 + 1);
  EXPECT_EQ(taken(kStart + seconds(9), budget), 0);
  for (int i = 0; i < 39; ++i) budget.count_call(kStart + minutes(1));
  EXPECT_EQ(taken(kStart + minutes(1), budget), 1 + 1) << "139 calls give six in all";
  EXPECT_EQ(taken(kStart + minutes(9), budget), 1);
  EXPECT_EQ(taken(kStart + minutes(10), budget), 1) << "the first minute's calls and grants are gone together";
}

TEST(CompanyBudget, WhatIsGivenBackCanBeTakenAgain) {  // RTY-11.10
  CompanyBudget budget({.min_per_second = 0.0});
  for (int i = 0; i < 20; ++i) budget.count_call(kStart);
  const auto grant = budget.try_take(kStart);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->of_share);
  EXPECT_FALSE(budget.try_take(kStart));
  budget.release(*grant);
  EXPECT_TRUE(budget.try_take(kStart));

  CompanyBudget besides;
  const auto second = besides.try_take(kStart);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->of_share);
  besides.release(*second);
  EXPECT_TRUE(besides.try_take(kStart));
}

TEST(CompanyBudget, NoneWhereBothAreZero) {  // RTY-11.10
  CompanyBudget budget({.ratio = 0.0, .min_per_second = 0.0});
  for (int i = 0; i < 100; ++i) budget.count_call(kStart);
  EXPECT_EQ(taken(kStart, budget), 0);
}

TEST(CompanyBudget, RefusesWhatIsOutOfRange) {  // CORE-6
  const Problems problems = CompanyOptions{.ratio = 1.5, .min_per_second = -1.0}.validate();
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].field, "ratio");
  EXPECT_EQ(problems[1].field, "min_per_second");
  EXPECT_THROW(CompanyBudget({.ratio = 2.0}), InvalidOptions);
}

}  // namespace
}  // namespace fuseboard
