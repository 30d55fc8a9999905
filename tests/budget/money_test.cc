// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/money.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <limits>

namespace fuseboard {
namespace {

TEST(Money, ReadsDollarsExactly) {  // BUD-1
  EXPECT_EQ(Money::parse("5.00")->nanos(), 5'000'000'000U);
  EXPECT_EQ(Money::parse("5")->nanos(), 5'000'000'000U);
  EXPECT_EQ(Money::parse("0.1")->nanos(), 100'000'000U);
  EXPECT_EQ(Money::parse("0.000000001")->nanos(), 1U);
  EXPECT_EQ(Money::parse("9223372036.854775807"), Money::max());
}

TEST(Money, RefusesWhatIsNoExactAmount) {  // BUD-1
  for (const char* text : {"", ".", "5.", ".5", "-1", "+1", "1e3", "$5", " 5", "5 ", "5,00", "1.0000000001", "0x5",
                           "1.2.3", "9223372036.854775808", "9223372037", "18446744073709551616", "nan"}) {
    EXPECT_EQ(Money::parse(text), std::nullopt) << text;
  }
}

TEST(Money, WritesCentsAndWhatIsFiner) {  // BUD-1
  EXPECT_EQ(to_text(Money()), "0.00");
  EXPECT_EQ(to_text(*Money::parse("5")), "5.00");
  EXPECT_EQ(to_text(*Money::parse("0.3")), "0.30");
  EXPECT_EQ(to_text(*Money::parse("0.0031")), "0.0031");
  EXPECT_EQ(to_text(Money::max()), "9223372036.854775807");
}

TEST(Money, SumsSaturateAndDifferencesStopAtZero) {  // CORE-7
  EXPECT_EQ(Money::max() + Money::max(), Money::max());
  EXPECT_EQ(Money::from_nanos(std::numeric_limits<std::uint64_t>::max()), Money::max());
  EXPECT_EQ(Money() - Money::max(), Money());
  EXPECT_EQ(Money::from_nanos(5) - Money::from_nanos(2), Money::from_nanos(3));
}

RC_GTEST_PROP(MoneyProperty, WhatIsWrittenReadsBackTheSame, (std::uint64_t nanos)) {  // BUD-1
  const Money amount = Money::from_nanos(nanos);
  RC_ASSERT(Money::parse(to_text(amount)) == amount);
}

}  // namespace
}  // namespace fuseboard
