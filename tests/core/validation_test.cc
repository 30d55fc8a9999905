// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Validator, FindsEveryProblemAtOnceWithFieldValueAndRange) {  // CORE-6
  Validator validator;
  validator.in_range("threshold", 0, 1, 10);
  validator.in_range("rate", 2.5, 0.0, 1.0);
  validator.in_range("open", Duration(-5s), Duration(1ms), Duration(24h));
  validator.in_range("fine", 3, 1, 10);
  validator.require(false, "keys", "named twice", "one entry");
  const Problems problems = std::move(validator).take();
  const Problems expected = {{"threshold", "0", "1 to 10"},
                             {"rate", "2.5", "0 to 1"},
                             {"open", "-5s", "1ms to 24h"},
                             {"keys", "named twice", "one entry"}};
  EXPECT_EQ(problems, expected);
  EXPECT_EQ(problems.front().message(), "threshold: 0 is not allowed; allowed: 1 to 10");
}

TEST(Validator, RefusesWhatIsNoNumberAndInfinities) {  // CORE-6
  Validator validator;
  validator.in_range("a", std::nan(""), -1e300, 1e300);
  validator.in_range("b", std::numeric_limits<double>::infinity(), -1e300, 1e300);
  validator.in_range("c", -std::numeric_limits<double>::infinity(), -1e300, 1e300);
  const Problems problems = std::move(validator).take();
  ASSERT_EQ(problems.size(), 3U);
  EXPECT_EQ(problems[0].value, "nan");
  EXPECT_EQ(problems[1].value, "inf");
  EXPECT_EQ(problems[2].value, "-inf");
}

TEST(Validator, WritesNumbersAsPeopleDo) {  // CORE-6
  Validator validator;
  validator.in_range("rate", 0.0, 1e-4, 6e10);
  validator.in_range("rate", -1e300, 1e-6, 1e300);
  const Problems problems = std::move(validator).take();
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].allowed, "0.0001 to 60000000000");
  EXPECT_EQ(problems[1].value, "-1e+300");
  EXPECT_EQ(problems[1].allowed, "0.000001 to 1e+300");
}

TEST(Validator, BoundsThemselvesAreAllowed) {  // CORE-6
  Validator validator;
  validator.in_range("a", 1, 1, 10);
  validator.in_range("a", 10, 1, 10);
  validator.in_range("b", 0.0, 0.0, 1.0);
  validator.in_range("b", 1.0, 0.0, 1.0);
  validator.in_range("c", Duration(1ms), Duration(1ms), Duration(1h));
  validator.in_range("c", Duration(1h), Duration(1ms), Duration(1h));
  EXPECT_TRUE(std::move(validator).take().empty());
}

TEST(Validator, NestedProblemsCarryTheirPath) {  // CORE-6
  Validator inner;
  inner.in_range("factor", 0.5, 1.0, 100.0);
  Validator outer;
  outer.merge("breaker.open_time", std::move(inner).take());
  EXPECT_EQ(std::move(outer).take().front().field, "breaker.open_time.factor");
}

TEST(InvalidOptions, SaysEveryProblemALine) {  // CORE-6
  try {
    throw_if_invalid({{"a", "0", "1 to 2"}, {"b", "9", "1 to 2"}});
    FAIL() << "problems must throw";
  } catch (const InvalidOptions& error) {
    EXPECT_EQ(error.problems().size(), 2U);
    EXPECT_THAT(error.what(), HasSubstr("a: 0 is not allowed; allowed: 1 to 2\nb: 9"));
  }
  EXPECT_NO_THROW(throw_if_invalid({}));
}

TEST(InvalidOptions, AreRefusedBeforeAnythingIsBuiltFromThem) {  // CORE-6
  struct Options {
    int size = 1;
    Problems validate() const {
      Validator validator;
      validator.in_range("size", size, 1, 10);
      return std::move(validator).take();
    }
  };
  const Options good{.size = 10};
  EXPECT_EQ(&checked(good), &good);
  EXPECT_EQ(checked(Options{.size = 2}).size, 2);
  EXPECT_THROW(checked(Options{.size = 0}), InvalidOptions);
}

TEST(DurationText, UsesTheLargestExactUnit) {
  EXPECT_EQ(to_text(Duration(1500ms)), "1500ms");
  EXPECT_EQ(to_text(Duration(2min)), "2m");
  EXPECT_EQ(to_text(Duration(0s)), "0s");
  EXPECT_EQ(to_text(Duration(-3ns)), "-3ns");
  EXPECT_EQ(to_text(kForever), "forever");
}

}  // namespace
}  // namespace fuseboard
