// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/units.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace fuseboard::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, EveryUnitIsExact) {
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("7us"), 7us);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
}

TEST(Duration, FractionsAreExactOrRefused) {
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0.1s"), 100ms);
  EXPECT_EQ(parse_duration("1.25m"), 75s);
  EXPECT_EQ(parse_duration("0.000000001s"), 1ns);
  EXPECT_EQ(parse_duration("0.00000000005m"), 3ns);
  EXPECT_EQ(parse_duration("1.5000000000000000000000000s"), 1500ms);
  EXPECT_EQ(parse_duration("0.0000000001s"), std::nullopt);
  EXPECT_EQ(parse_duration("0.5ns"), std::nullopt);
  EXPECT_EQ(parse_duration("0.0000000000000000000001h"), std::nullopt);
}

TEST(Duration, WhatDoesNotFitIsRefusedAndNotWrapped) {  // CORE-7
  EXPECT_EQ(parse_duration("9223372036854775807ns"), Duration::max());
  EXPECT_EQ(parse_duration("9223372036854775808ns"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036.854775807s"), Duration::max());
  EXPECT_EQ(parse_duration("9223372036.854775808s"), std::nullopt);
  EXPECT_EQ(parse_duration("99999999999999999999h"), std::nullopt);
}

TEST(Duration, OtherTextIsNoDuration) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "1.s", ".5s", "1,5s", "1e3s", "5S", "5d",
                           "1m30s", "0x5s", "infs", "nans", "none"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Size, BytesAndBinaryUnits) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("1024"), 1024U);
  EXPECT_EQ(parse_size("10B"), 10U);
  EXPECT_EQ(parse_size("64KiB"), 64U * 1024);
  EXPECT_EQ(parse_size("32MiB"), 32U * 1024 * 1024);
  EXPECT_EQ(parse_size("2GiB"), 2ULL * 1024 * 1024 * 1024);
  EXPECT_EQ(parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Size, OtherTextAndWhatDoesNotFitIsNoSize) {
  for (const char* text :
       {"", "KiB", "-1", "1.5MiB", "1 KiB", "1KB", "1kib", "18446744073709551616", "99999999999GiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fuseboard::config
