// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/eligibility.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <vector>

namespace fuseboard {
namespace {

constexpr RouteTraits kFailed{.credential = 1, .provider = 1, .context_window = 8000};
constexpr RouteTraits kSibling{.credential = 1, .provider = 1, .context_window = 8000};
constexpr RouteTraits kStranger{.credential = 2, .provider = 2, .context_window = 8000};

bool stays(Category category, const RouteTraits& candidate, const EligibilityOptions& options = {},
           const RouteTraits& failed = kFailed) {
  return stays_candidate(Failure::of(category), failed, candidate, options);
}

TEST(Narrowing, ARefusedCredentialRulesOutAllThatShareIt) {  // FBK-2.5
  for (const Category category : {Category::authentication, Category::quota_exhausted}) {
    EXPECT_FALSE(stays(category, kSibling)) << name(category);
    EXPECT_TRUE(stays(category, kStranger)) << name(category);
    EXPECT_TRUE(stays(category, {.credential = 2, .provider = 1})) << "another account there";
    EXPECT_FALSE(stays(category, {.credential = 1, .provider = 2})) << "the same account elsewhere";
  }
  EXPECT_TRUE(stays(Category::service_unavailable, kSibling)) << "another model of that account may be well";
}

TEST(Narrowing, TargetsWithoutACredentialShareNone) {  // FBK-2.5
  const RouteTraits local{.provider = 1};
  EXPECT_TRUE(stays(Category::authentication, {.provider = 2}, {}, local));
}

TEST(Narrowing, WhatIsTooLongGoesOnlyToALargerWindow) {  // FBK-2.6
  const auto goes = [](std::optional<std::uint64_t> from, std::optional<std::uint64_t> to, bool unknown_is_larger) {
    return stays(Category::context_length_exceeded, {.context_window = to}, {.unknown_is_larger = unknown_is_larger},
                 {.context_window = from});
  };
  for (const bool unknown_is_larger : {true, false}) {
    EXPECT_TRUE(goes(8000, 8001, unknown_is_larger));
    EXPECT_FALSE(goes(8000, 8000, unknown_is_larger));
    EXPECT_FALSE(goes(8000, 4000, unknown_is_larger));
    EXPECT_TRUE(goes(std::nullopt, 8000, unknown_is_larger)) << "it may be larger";
    EXPECT_EQ(goes(8000, std::nullopt, unknown_is_larger), unknown_is_larger) << "once a call";
    EXPECT_EQ(goes(std::nullopt, std::nullopt, unknown_is_larger), unknown_is_larger) << "once a call";
  }
}

TEST(Narrowing, AContentPolicyStopsUnlessOptedIn) {  // FBK-2.2
  EXPECT_FALSE(stays(Category::content_policy, kStranger));
  EXPECT_TRUE(stays(Category::content_policy, kStranger, {.fallback_on = {Category::content_policy}}));
}

TEST(Narrowing, WhatTheTableSaysStopsStopsWhateverIsOptedIn) {  // FBK-2.2
  const EligibilityOptions all{.fallback_on = CategorySet::all()};
  for (const Category category : {Category::invalid_request, Category::policy_violation, Category::cancelled,
                                  Category::tool_not_found, Category::resource_not_found, Category::execution_error})
    EXPECT_FALSE(stays(category, kStranger, all)) << name(category);
}

TEST(Narrowing, TheClassifiersDepartureCountsNotTheTable) {  // FBK-2.1
  Failure unsupported = Failure::of(Category::invalid_request);
  unsupported.fallback = true;
  EXPECT_TRUE(stays_candidate(unsupported, kFailed, kStranger, {}));
  Failure ours = Failure::of(Category::resource_exhausted);
  ours.fallback = false;
  EXPECT_FALSE(stays_candidate(ours, kFailed, kStranger, {}));
}

TEST(Narrowing, ABoundRequestNeverLeavesItsProvider) {  // FBK-7.1
  const EligibilityOptions bound{.fallback_on = CategorySet::all(), .bound_to_provider = true};
  for (const CategoryProperties& row : all_categories()) {
    EXPECT_FALSE(stays(row.category, kStranger, bound)) << row.name;
  }
  EXPECT_TRUE(stays(Category::service_unavailable, kSibling, bound));
}

RC_GTEST_PROP(NarrowingProperty, NothingStaysThatARuleForbids, ()) {  // FBK-2.5 FBK-2.6 FBK-7.1
  const auto traits = [] {
    return RouteTraits{.credential = *rc::gen::inRange<std::uint32_t>(0, 3),
                       .provider = *rc::gen::inRange<std::uint32_t>(0, 3),
                       .context_window = *rc::gen::element<std::optional<std::uint64_t>>(std::nullopt, 1, 2)};
  };
  const RouteTraits failed = traits();
  const RouteTraits candidate = traits();
  const EligibilityOptions options{.fallback_on = CategorySet::from_bits(*rc::gen::arbitrary<std::uint32_t>()),
                                   .bound_to_provider = *rc::gen::arbitrary<bool>(),
                                   .unknown_is_larger = *rc::gen::arbitrary<bool>()};
  Failure failure = Failure::of(static_cast<Category>(*rc::gen::inRange<int>(0, kCategoryCount)));
  failure.fallback = *rc::gen::arbitrary<bool>();
  const bool about_credential =
      failure.category == Category::authentication || failure.category == Category::quota_exhausted;
  const bool forbidden =
      !failure.fallback || (options.bound_to_provider && candidate.provider != failed.provider) ||
      (about_credential && failed.credential != 0 && candidate.credential == failed.credential) ||
      (failure.category == Category::content_policy && !options.fallback_on.contains(Category::content_policy)) ||
      (failure.category == Category::context_length_exceeded && !candidate.context_window &&
       !options.unknown_is_larger) ||
      (failure.category == Category::context_length_exceeded && candidate.context_window &&
       *candidate.context_window <= failed.context_window.value_or(0));
  RC_ASSERT(stays_candidate(failure, failed, candidate, options) == !forbidden);
}

}  // namespace
}  // namespace fuseboard
