// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/judge.h"

#include <gtest/gtest.h>

#include <expected>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fuseboard/core/cancelled.h"

namespace mine {

struct HttpError {
  int status = 0;
};

struct Refused {};
fuseboard::Failure failure_of(const Refused& /*refused*/) {
  return fuseboard::Failure::of(fuseboard::Category::rate_limit, std::chrono::seconds(7));
}

enum class Step { read, write };

}  // namespace mine

namespace fuseboard {
namespace {

using mine::HttpError;

struct TimeoutError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ReadTimeout : TimeoutError {
  using TimeoutError::TimeoutError;
};
struct NotFound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the judge says of a call that throws this.
template <typename Exception, typename... Rules>
Outcome of_thrown(const Judge<Rules...>& judge, const Exception& exception) {
  try {
    throw exception;
  } catch (...) {
    return judge.thrown();
  }
}

Verdict verdict(const Outcome& outcome) { return verdict_of(outcome, kTrippingCategories); }
Category category(const Outcome& outcome) {
  return outcome.failure.value_or(Failure::of(Category::policy_violation)).category;
}

TEST(DefaultJudge, WhatIsThrownHasFailed) {  // BRK-19.5, BRK-10.6
  for (const Outcome& outcome :
       {of_thrown(kDefaultJudge, std::runtime_error("x")), of_thrown(kDefaultJudge, 42),
        of_thrown(kDefaultJudge, std::bad_alloc()), of_thrown(kDefaultJudge, std::system_error(std::error_code()))}) {
    EXPECT_EQ(verdict(outcome), Verdict::failure);
    EXPECT_EQ(category(outcome), Category::execution_error);
  }
  const auto thrown_code = [](std::errc code) { return std::system_error(std::make_error_code(code)); };
  EXPECT_EQ(category(of_thrown(kDefaultJudge, thrown_code(std::errc::timed_out))), Category::timeout);
  EXPECT_EQ(verdict(of_thrown(kDefaultJudge, thrown_code(std::errc::timed_out))), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(kDefaultJudge, thrown_code(std::errc::operation_canceled))), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(kDefaultJudge, Cancelled())), Verdict::neutral);
}

TEST(DefaultJudge, AValueIsASuccessUnlessItSaysOtherwise) {  // BRK-19.5
  EXPECT_TRUE(kDefaultJudge.returned(std::string("answer")).ok());
  EXPECT_TRUE(kDefaultJudge.returned(std::make_unique<int>(1)).ok());
  EXPECT_TRUE(kDefaultJudge.returned(0).ok());
  EXPECT_TRUE(kDefaultJudge.returned(false).ok());
  EXPECT_TRUE(kDefaultJudge.returned(mine::Step::write).ok());
  EXPECT_TRUE(kDefaultJudge.returned(std::error_code()).ok());
  EXPECT_EQ(category(kDefaultJudge.returned(std::errc::timed_out)), Category::timeout);
  EXPECT_EQ(category(kDefaultJudge.returned(std::io_errc::stream)), Category::execution_error);
  EXPECT_EQ(category(kDefaultJudge.returned(Category::overloaded)), Category::overloaded);
  EXPECT_EQ(category(kDefaultJudge.returned(Failure::of(Category::network))), Category::network);
  EXPECT_EQ(kDefaultJudge.returned(mine::Refused()).failure->retry_after, std::chrono::seconds(7)) << "by its own word";
  EXPECT_EQ(kDefaultJudge.returned(Outcome::success(std::chrono::seconds(2))).latency, std::chrono::seconds(2));
  EXPECT_EQ(verdict(kDefaultJudge.returned(Outcome::cancelled())), Verdict::neutral);
}

TEST(DefaultJudge, AnErrorOfAnExpectedIsWhatItSays) {  // BRK-19.5
  using Says = std::expected<int, std::string>;
  EXPECT_TRUE(kDefaultJudge.returned(Says(1)).ok());
  EXPECT_EQ(verdict(kDefaultJudge.returned(Says(std::unexpected("broken")))), Verdict::failure);
  using Judged = std::expected<void, Failure>;
  EXPECT_TRUE(kDefaultJudge.returned(Judged()).ok());
  EXPECT_EQ(verdict(kDefaultJudge.returned(Judged(std::unexpected(Failure::of(Category::invalid_request))))),
            Verdict::neutral);
  using Named = std::expected<int, Category>;
  EXPECT_EQ(verdict(kDefaultJudge.returned(Named(std::unexpected(Category::network)))), Verdict::failure);
  using Code = std::expected<int, std::error_code>;
  EXPECT_EQ(verdict(kDefaultJudge.returned(Code(std::unexpected(std::error_code())))), Verdict::failure)
      << "an error is no success";
  using Mine = std::expected<int, mine::Refused>;
  EXPECT_EQ(category(kDefaultJudge.returned(Mine(std::unexpected(mine::Refused())))), Category::rate_limit);
  using Thrown = std::expected<int, TimeoutError>;
  EXPECT_EQ(verdict(kDefaultJudge.returned(Thrown(std::unexpected(TimeoutError("x"))))), Verdict::failure);
}

// As other libraries have one.
struct BothWays {
  operator std::error_code() const { return std::make_error_code(std::errc::timed_out); }  // NOLINT
  operator std::error_condition() const { return std::errc::io_error; }                    // NOLINT
};

TEST(DefaultJudge, WhatConvertsToACodeAndToAConditionIsItsCode) {  // BRK-19.5
  EXPECT_EQ(category(kDefaultJudge.returned(BothWays())), Category::timeout);
}

TEST(Judge, AListNamesTheExceptionsThatCountAndNoOthersDo) {  // BRK-19.6
  const auto judge = fails_on<TimeoutError, int>();
  EXPECT_EQ(verdict(of_thrown(judge, TimeoutError("x"))), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(judge, ReadTimeout("x"))), Verdict::failure) << "it is one";
  EXPECT_EQ(verdict(of_thrown(judge, 42)), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(judge, std::runtime_error("x"))), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(judge, 'c')), Verdict::neutral);
  EXPECT_TRUE(judge.returned(1).ok());
  EXPECT_EQ(verdict(judge.returned(std::expected<int, std::string>(std::unexpected("x")))), Verdict::failure)
      << "not thrown";
}

TEST(Judge, WhatWasCancelledIsNoFailureWhateverIsListed) {  // BRK-19.6, BRK-10.6
  EXPECT_EQ(verdict(of_thrown(fails_on<std::exception>(), Cancelled())), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(fails_on<std::exception>(), std::logic_error("x"))), Verdict::failure);
}

TEST(Judge, IgnoredTypesAreNoEvidenceThrownOrReturned) {  // BRK-19.6
  const auto judge = ignores<NotFound, HttpError>();
  EXPECT_EQ(verdict(of_thrown(judge, NotFound("x"))), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(judge, HttpError{})), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(judge, std::runtime_error("x"))), Verdict::failure);
  using Http = std::expected<int, HttpError>;
  EXPECT_EQ(verdict(judge.returned(Http(std::unexpected(HttpError{})))), Verdict::neutral);
  EXPECT_TRUE(judge.returned(Http(1)).ok());
}

TEST(Judge, APredicateAsksWhatWasReturned) {  // BRK-19.6
  const auto judge = fails_if([](int status) { return status >= 500; });
  EXPECT_TRUE(judge.returned(404).ok());
  EXPECT_EQ(verdict(judge.returned(503)), Verdict::failure);
  EXPECT_TRUE(judge.returned(std::string("not asked")).ok());
  using Status = std::expected<int, std::string>;
  EXPECT_TRUE(judge.returned(Status(200)).ok());
  EXPECT_EQ(verdict(judge.returned(Status(500))), Verdict::failure);
  EXPECT_EQ(verdict(judge.returned(Status(std::unexpected("x")))), Verdict::failure);
  EXPECT_TRUE(judge.returned(std::expected<void, std::string>()).ok());
  EXPECT_EQ(verdict(of_thrown(judge, 42)), Verdict::failure) << "thrown: as ever";
}

TEST(Judge, APredicateOnErrorsSaysBothThatTheyCountAndThatTheyDoNot) {  // BRK-19.6
  const auto is_ill = [](const HttpError& error) { return error.status >= 500; };
  using Http = std::expected<int, HttpError>;
  EXPECT_EQ(verdict(fails_if(is_ill).returned(Http(std::unexpected(HttpError{404})))), Verdict::neutral);
  EXPECT_EQ(verdict(fails_if(is_ill).returned(Http(std::unexpected(HttpError{502})))), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(fails_if(is_ill), HttpError{404})), Verdict::failure) << "nobody named exceptions";
  EXPECT_EQ(verdict(of_thrown(fails_if<HttpError>(is_ill), HttpError{404})), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(fails_if<HttpError>(is_ill), HttpError{502})), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(fails_if<HttpError>(is_ill), std::logic_error("x"))), Verdict::failure);
}

TEST(Judge, OfSeveralRulesTheFirstThatSaysAnythingDecides) {  // BRK-19.6
  const auto judge = ignores<ReadTimeout>() | fails_on<TimeoutError>() | fails_on<int>() |
                     fails_if([](const std::string& text) { return text.empty(); });
  EXPECT_EQ(verdict(of_thrown(judge, ReadTimeout("x"))), Verdict::neutral);
  EXPECT_EQ(verdict(of_thrown(judge, TimeoutError("x"))), Verdict::failure);
  EXPECT_EQ(verdict(of_thrown(judge, 1)), Verdict::failure) << "two lists are one";
  EXPECT_EQ(verdict(of_thrown(judge, std::runtime_error("x"))), Verdict::neutral);
  EXPECT_EQ(verdict(judge.returned(std::string())), Verdict::failure);
  EXPECT_TRUE(judge.returned(std::string("x")).ok());
  const auto other_way_round = fails_on<TimeoutError>() | ignores<ReadTimeout>();
  EXPECT_EQ(verdict(of_thrown(other_way_round, ReadTimeout("x"))), Verdict::failure);
}

TEST(Judge, ARuleKeepsTheCategory) {  // BRK-19.6
  const auto timed_out = std::system_error(std::make_error_code(std::errc::timed_out));
  const Outcome ignored = of_thrown(ignores<std::system_error>(), timed_out);
  EXPECT_EQ(category(ignored), Category::timeout);
  EXPECT_EQ(verdict(ignored), Verdict::neutral);
  using Judged = std::expected<int, Failure>;
  const Outcome counted = fails_on<Failure>().returned(Judged(std::unexpected(Failure::of(Category::rate_limit))));
  EXPECT_EQ(category(counted), Category::rate_limit);
  EXPECT_EQ(verdict(counted), Verdict::failure);
}

}  // namespace
}  // namespace fuseboard
