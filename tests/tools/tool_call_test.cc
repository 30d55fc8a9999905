// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// ToolGuard::call(): what a tool returns or throws, and what becomes of its permit.
#include <gtest/gtest.h>

#include <cerrno>
#include <future>
#include <ios>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fuseboard/tools/tool_guard.h"
#include "tests/tools/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

class ToolCallTest : public testing::Test {
 protected:
  // Lets the tool throw, expects the exception to pass through, and returns the totals of that call.
  template <typename Exception>
  ToolTotals totals_after(const Exception& exception) {
    ToolGuard guard({.defaults = fragile()}, clock_);
    EXPECT_THROW((void)guard.call("tool", [&]() -> int { throw exception; }), Exception);
    EXPECT_EQ(guard.snapshot("tool").circuit.in_flight, 0U);
    return guard.totals();
  }
  template <typename Value>
  ToolTotals totals_after_returning(const Value& value) {
    ToolGuard guard({.defaults = fragile()}, clock_);
    EXPECT_TRUE(guard.call("tool", [&] { return value; }).has_value());
    EXPECT_EQ(guard.snapshot("tool").circuit.in_flight, 0U);
    return guard.totals();
  }

  ManualClock clock_;
};

TEST_F(ToolCallTest, WhatTheToolReturnsComesBack) {  // BRK-10.1
  ToolGuard guard({.defaults = fragile()}, clock_);
  EXPECT_EQ(*guard.call("tool", [] { return std::string("answer"); }), "answer");
  EXPECT_EQ(**guard.call("tool", [] { return std::make_unique<int>(7); }), 7);
  const std::string kept = "kept";
  EXPECT_EQ(*guard.call("tool", [&]() -> const std::string& { return kept; }), "kept");
  bool called = false;
  const std::expected<void, Rejection> nothing = guard.call("tool", [&] { called = true; });
  EXPECT_TRUE(nothing.has_value() && called);
  EXPECT_EQ(guard.totals().succeeded, 4U);
}

TEST_F(ToolCallTest, ARefusedToolIsNotCalled) {  // BRK-5
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "tool", ToolOutcome::timeout);
  const auto answer = guard.call("tool", []() -> int { throw std::logic_error("called"); });
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().retry_after, 10s);
}

TEST_F(ToolCallTest, ExceptionsAreMappedAndPassThrough) {  // PIP-7 BRK-11 BRK-10.5 BRK-10.6
  const ToolTotals invalid{.admitted = 1, .invalid_argument = 1};
  EXPECT_EQ(totals_after(std::invalid_argument("x")), invalid);
  EXPECT_EQ(totals_after(std::out_of_range("x")), invalid);
  EXPECT_EQ(totals_after(std::domain_error("x")), invalid);
  const ToolTotals cancelled{.admitted = 1, .cancelled = 1};
  EXPECT_EQ(totals_after(ToolCancelled()), cancelled);
  EXPECT_EQ(totals_after(std::system_error(std::make_error_code(std::errc::operation_canceled))), cancelled);
  const ToolTotals timeout{.admitted = 1, .timeout = 1, .transitions = {.opened = 1}};
  EXPECT_EQ(totals_after(std::system_error(std::make_error_code(std::errc::timed_out))), timeout);
  const ToolTotals failed{.admitted = 1, .execution_error = 1, .transitions = {.opened = 1}};
  EXPECT_EQ(totals_after(std::system_error(std::make_error_code(std::errc::io_error))), failed);
  EXPECT_EQ(totals_after(std::system_error(std::error_code())), failed);
  EXPECT_EQ(totals_after(std::runtime_error("x")), failed);
  EXPECT_EQ(totals_after(std::logic_error("x")), failed);
  EXPECT_EQ(totals_after(std::bad_alloc()), failed);
  EXPECT_EQ(totals_after(42), failed);
}

TEST_F(ToolCallTest, AThrowingProbeGivesItsPlaceBack) {  // BRK-11 PIP-7
  ToolGuard guard({.defaults = fragile()}, clock_);
  call(guard, "tool", ToolOutcome::timeout);
  clock_.advance(10s);
  EXPECT_THROW((void)guard.call("tool", [] { throw ToolCancelled(); }), ToolCancelled);
  EXPECT_TRUE(acquired(guard, "tool").is_probe());
}

TEST_F(ToolCallTest, AnExpectedSaysHowTheCallEnded) {  // PIP-3
  using Fails = std::expected<int, Failure>;
  using Ends = std::expected<void, ToolOutcome>;
  using Errs = std::expected<int, std::error_code>;
  using Says = std::expected<int, std::string>;
  using Breaks = std::expected<int, TransportFault>;
  const ToolTotals succeeded{.admitted = 1, .succeeded = 1};
  EXPECT_EQ(totals_after_returning(Fails(1)), succeeded);
  EXPECT_EQ(totals_after_returning(Ends()), succeeded);
  EXPECT_EQ(totals_after_returning(Fails(std::unexpected(Failure::of(Category::invalid_request)))),
            (ToolTotals{.admitted = 1, .judged = 1}));
  EXPECT_EQ(totals_after_returning(Breaks(std::unexpected(TransportFault::reset))),
            (ToolTotals{.admitted = 1, .judged = 1, .transitions = {.opened = 1}}));
  EXPECT_EQ(totals_after_returning(Ends(std::unexpected(ToolOutcome::invalid_argument))),
            (ToolTotals{.admitted = 1, .invalid_argument = 1}));
  EXPECT_EQ(totals_after_returning(Errs(std::unexpected(std::make_error_code(std::errc::operation_canceled)))),
            (ToolTotals{.admitted = 1, .cancelled = 1}));
  const ToolTotals failed{.admitted = 1, .execution_error = 1, .transitions = {.opened = 1}};
  EXPECT_EQ(totals_after_returning(Says(std::unexpected("broken"))), failed);
  EXPECT_EQ(totals_after_returning(Ends(std::unexpected(ToolOutcome::success))), failed) << "an error is no success";
  EXPECT_EQ(totals_after_returning(Errs(std::unexpected(std::error_code()))), failed);
}

TEST_F(ToolCallTest, AnOutcomeThatIsReturnedIsTheOutcome) {  // PIP-3
  EXPECT_EQ(totals_after_returning(ToolOutcome::invalid_argument), (ToolTotals{.admitted = 1, .invalid_argument = 1}));
  EXPECT_EQ(totals_after_returning(ToolResult(Failure::of(Category::permission_denied))),
            (ToolTotals{.admitted = 1, .judged = 1}));
  EXPECT_EQ(totals_after_returning(std::error_code()), (ToolTotals{.admitted = 1, .succeeded = 1}));
  EXPECT_EQ(totals_after_returning(std::make_error_code(std::errc::timed_out)),
            (ToolTotals{.admitted = 1, .timeout = 1, .transitions = {.opened = 1}}));
}

// As other libraries have one: no std::error_code, but it converts to one.
struct OthersErrorCode {
  int value = 0;
  operator std::error_code() const { return {value, std::generic_category()}; }  // NOLINT(google-explicit-constructor)
};

TEST_F(ToolCallTest, WhateverConvertsToAnErrorCodeSaysHowTheCallEnded) {  // PIP-3
  const ToolTotals succeeded{.admitted = 1, .succeeded = 1};
  const ToolTotals failed{.admitted = 1, .execution_error = 1, .transitions = {.opened = 1}};
  const ToolTotals timed_out{.admitted = 1, .timeout = 1, .transitions = {.opened = 1}};
  EXPECT_EQ(totals_after_returning(std::io_errc::stream), failed);
  EXPECT_EQ(totals_after_returning(std::future_errc::broken_promise), failed);
  EXPECT_EQ(totals_after_returning(OthersErrorCode{}), succeeded);
  EXPECT_EQ(totals_after_returning(OthersErrorCode{ETIMEDOUT}), timed_out);
  EXPECT_EQ(totals_after_returning(OthersErrorCode{ECANCELED}), (ToolTotals{.admitted = 1, .cancelled = 1}));
  EXPECT_EQ(totals_after_returning(std::errc()), succeeded);
  EXPECT_EQ(totals_after_returning(std::errc::timed_out), timed_out);
  EXPECT_EQ(totals_after_returning(std::errc::io_error), failed);
  using Others = std::expected<int, OthersErrorCode>;
  EXPECT_EQ(totals_after_returning(Others(1)), succeeded);
  EXPECT_EQ(totals_after_returning(Others(std::unexpected(OthersErrorCode{ETIMEDOUT}))), timed_out);
  EXPECT_EQ(totals_after_returning(Others(std::unexpected(OthersErrorCode{}))), failed) << "an error is no success";
  using Streams = std::expected<void, std::io_errc>;
  EXPECT_EQ(totals_after_returning(Streams(std::unexpected(std::io_errc::stream))), failed);
}

TEST(ToolOutcomeNames, AreStable) {  // TEL-3
  EXPECT_EQ(name(ToolOutcome::success), "success");
  EXPECT_EQ(name(ToolOutcome::invalid_argument), "invalid_argument");
  EXPECT_EQ(name(ToolOutcome::execution_error), "execution_error");
  EXPECT_EQ(name(ToolOutcome::timeout), "timeout");
  EXPECT_EQ(name(ToolOutcome::cancelled), "cancelled");
}

}  // namespace
}  // namespace fuseboard
