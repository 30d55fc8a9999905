// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/number.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

namespace fuseboard::json {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

TEST(WholeNumber, IsOneAndTheSameHoweverItIsSpelled) {  // BUD-10.5
  for (const char* text : {"1000", "1000.0", "1000.000", "1e3", "1E3", "1e+3", "1.0e3", "0.1e4", "10000e-1",
                           "1000000000000000000000e-18", "0.0000000000000000000000000001e31", "1000e0"}) {
    EXPECT_EQ(whole_number(text), 1000U) << text;
  }
  for (const char* text : {"0", "-0", "0.0", "-0.0e5", "0e999999999999999999999", "0e-7"}) {
    EXPECT_EQ(whole_number(text), 0U) << text;
  }
  EXPECT_EQ(whole_number("128.0"), 128U);
  EXPECT_EQ(whole_number("18446744073709551615"), kMax);
}

TEST(WholeNumber, AboveWhatFitsIsTheMostThatDoes) {  // BUD-10.5
  for (const char* text : {"18446744073709551616", "1e300", "1e20", "1.5e99", "9e999999999999999999999",
                           "184467440737095516160000000000000000000000"}) {
    EXPECT_EQ(whole_number(text), kMax) << text;
  }
}

TEST(WholeNumber, IsNoFractionNoDebtAndNoText) {  // BUD-10.4
  for (const char* text : {"0.5", "1000.5", "1e-3", "1001e-1", "123.456e2", "1e-999999999999999999999", "-1", "-1e3",
                           "-0.5", R"("1000")", "true", "null", "[1]", "{}", ""}) {
    EXPECT_EQ(whole_number(text), std::nullopt) << text;
  }
}

// The number with its point moved to the left, and moved back by the exponent; and the other way round.
RC_GTEST_PROP(WholeNumber, IsReadBackFromAnySpelling, (std::uint64_t number)) {
  const std::string digits = std::to_string(number);
  const auto left = *rc::gen::inRange<std::size_t>(0, 30);
  const auto zeros = *rc::gen::inRange<std::size_t>(0, 10);
  const std::string padded = std::string(left + 1, '0') + digits;
  const std::size_t point = padded.size() - left;
  // JSON has no leading zeros.
  std::string whole = padded.substr(0, point);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  const std::string fraction = left > 0 ? "." + padded.substr(point) : "";
  RC_ASSERT(whole_number(whole + fraction + "e" + std::to_string(left)) == number);
  RC_ASSERT(whole_number(digits + std::string(zeros, '0') + "e-" + std::to_string(zeros)) == number);
  RC_ASSERT(whole_number(digits + "." + std::string(zeros + 1, '0')) == number);
  RC_ASSERT(!whole_number(digits + "." + std::string(zeros, '0') + "1"));
  if (number > 0) RC_ASSERT(!whole_number("-" + digits));
}

}  // namespace
}  // namespace fuseboard::json
