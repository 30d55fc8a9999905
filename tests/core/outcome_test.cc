// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/outcome.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace fuseboard {
namespace {

TEST(Verdict, OnlyWhatSaysTheTargetIsIllIsAFailure) {  // BRK-19.1, BRK-19.3
  EXPECT_EQ(verdict_of(Outcome::success(), kTrippingCategories), Verdict::success);
  for (const CategoryProperties& row : all_categories()) {
    const Verdict verdict = verdict_of(Outcome::failed(Failure::of(row.category)), kTrippingCategories);
    const Verdict expected = row.trips_breaker                      ? Verdict::failure
                             : row.category == Category::rate_limit ? Verdict::throttled
                                                                    : Verdict::neutral;
    EXPECT_EQ(verdict, expected) << row.name;
  }
  EXPECT_EQ(verdict_of(Outcome::cancelled(), kTrippingCategories), Verdict::neutral);
}

TEST(Verdict, AJudgementByTheClassifierGoesBeforeTheSet) {  // BRK-19.2
  Failure crashed = Failure::of(Category::execution_error);
  crashed.evidence = Evidence::counts;
  EXPECT_EQ(verdict_of(Outcome::failed(crashed), kTrippingCategories), Verdict::failure);
  Failure ours = Failure::of(Category::resource_exhausted);
  ours.evidence = Evidence::does_not_count;
  EXPECT_EQ(verdict_of(Outcome::failed(ours), kTrippingCategories), Verdict::neutral);
}

TEST(Category, NamesLeadBackToTheirCategory) {
  for (const CategoryProperties& row : all_categories()) {
    EXPECT_EQ(category_from_name(name(row.category)), row.category);
  }
  EXPECT_EQ(category_from_name("nonsense"), std::nullopt);
}

TEST(Failure, WhatIsNotNamedFollowsFromTheCategory) {  // BRK-19.2 RTY-4.1
  for (const CategoryProperties& row : all_categories()) {
    EXPECT_EQ((Failure{.category = row.category}), Failure::of(row.category)) << row.name;
  }
  EXPECT_TRUE((Failure{.category = Category::network}).retryable);
  EXPECT_FALSE((Failure{.category = Category::network, .retryable = false}).retryable) << "what is named stands";
  EXPECT_EQ(Failure(), Failure::of(Category::execution_error));
  EXPECT_TRUE(std::is_trivially_copyable_v<Failure>);
}

}  // namespace
}  // namespace fuseboard
