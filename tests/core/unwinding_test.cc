// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/unwinding.h"

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

namespace fuseboard {
namespace {

// Runs its function when it is destroyed.
struct OnExit {
  ~OnExit() { run(); }
  std::function<void()> run;
};

// What the mark says within a scope that an exception unwinds.
bool during_unwinding(const UnwindingMark& mark) {
  bool said = false;
  try {
    const OnExit exit{[&] { said = mark.unwinding(); }};
    throw std::runtime_error("thrown");
  } catch (const std::runtime_error&) {
    return said;
  }
}

TEST(UnwindingMark, KnowsAnExceptionThatWasThrownSince) {  // BRK-10.3
  const UnwindingMark mark = UnwindingMark::now();
  EXPECT_FALSE(mark.unwinding());
  EXPECT_TRUE(during_unwinding(mark));
  EXPECT_FALSE(mark.unwinding()) << "it has been caught";
}

TEST(UnwindingMark, DoesNotMeanTheExceptionThatRunsTheDestructorItWasMadeIn) {  // BRK-10.3
  bool inside = true;
  bool inner = false;
  try {
    const OnExit exit{[&] {
      const UnwindingMark mark = UnwindingMark::now();
      inside = mark.unwinding();
      inner = during_unwinding(mark);
    }};
    throw std::runtime_error("thrown");
  } catch (const std::runtime_error&) {
    EXPECT_FALSE(inside);
    EXPECT_TRUE(inner) << "a second exception, thrown and caught within";
  }
}

TEST(UnwindingMark, AnExceptionOfAnotherThreadIsNotMeant) {  // BRK-10.3
  const UnwindingMark mark = UnwindingMark::now();
  bool there = true;
  std::thread([&] { there = during_unwinding(mark); }).join();
  EXPECT_FALSE(there);
}

TEST(UnwindingMark, AgreesWithTheStandardLibrary) {
  // The layout it reads is that of the ABI: a count of the same exceptions.
  bool said = false;
  int counted = 0;
  const UnwindingMark mark = UnwindingMark::now();
  try {
    const OnExit exit{[&] {
      said = mark.unwinding();
      counted = std::uncaught_exceptions();
    }};
    throw std::runtime_error("thrown");
  } catch (const std::runtime_error&) {
    EXPECT_EQ(said, counted > 0);
    EXPECT_EQ(counted, 1);
  }
}

TEST(UnwindingMark, OfNoThreadMeansNothing) { EXPECT_FALSE(during_unwinding(UnwindingMark())); }

}  // namespace
}  // namespace fuseboard
