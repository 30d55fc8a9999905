// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How often the classifier is right, over the failures that the project keeps.
#include <gtest/gtest.h>

#include <iostream>

#include "tests/classify/case_reader.h"

namespace fuseboard {
namespace {

using classify_cases::Case;
using classify_cases::Expected;

// Counts what was right of each answer and prints every miss with the rule that misled.
struct Score {
  int cases = 0;
  int category = 0;
  int retry_and_trip = 0;
  int fallback = 0;
  int hint = 0;

  void count(const Case& it) {
    const Classification judged = classify(it.evidence);
    const Expected got = classify_cases::answer(judged);
    const Expected& want = it.expected;
    ++cases;
    category += got.category == want.category ? 1 : 0;
    retry_and_trip += got.retryable == want.retryable && got.trips_breaker == want.trips_breaker ? 1 : 0;
    fallback += got.fallback == want.fallback ? 1 : 0;
    hint += near(got.retry_after_ms, want.retry_after_ms) ? 1 : 0;
    if (got == want) return;
    std::cout << it.id << ": " << to_text(got) << ", expected " << to_text(want) << "; decided by " << judged.rule.kind
              << " '" << judged.rule.text << "' " << judged.rule.number << "\n    " << it.evidence.status << " "
              << it.evidence.body << " " << it.evidence.message << "\n";
  }

  static bool near(std::optional<std::int64_t> got, std::optional<std::int64_t> want) {
    if (!got || !want) return got == want;
    return *got - *want <= 1 && *want - *got <= 1;
  }

  void print(const std::string& name) const {
    std::cout << name << ": " << cases << " cases; right: category " << share(category) << " %, retryable and trips "
              << share(retry_and_trip) << " %, fallback " << share(fallback) << " %, hint " << share(hint) << " %\n";
  }

  double share(int right) const { return 100.0 * right / cases; }
};

Score score(const std::string& file) {
  Score score;
  for (const auto& it : classify_cases::read_cases(FUSEBOARD_SOURCE_DIR "/tests/classify/fixtures/" + file))
    score.count(*it);
  score.print(file);
  return score;
}

TEST(ClassifyCorpus, KnownFailuresAreJudgedRight) {
  const Score got = score("failures.jsonl");
  EXPECT_EQ(got.cases, 304);
  EXPECT_GE(got.share(got.category), 99.0);
  EXPECT_GE(got.share(got.retry_and_trip), 99.5);
  EXPECT_GE(got.share(got.fallback), 99.0);
  EXPECT_GE(got.share(got.hint), 99.5);
}

TEST(ClassifyCorpus, FurtherProvidersAndToolsAreJudgedRight) {
  const Score got = score("more_failures.jsonl");
  EXPECT_GE(got.cases, 150);
  EXPECT_GE(got.share(got.category), 99.0);
  EXPECT_GE(got.share(got.retry_and_trip), 99.0);
  EXPECT_GE(got.share(got.fallback), 99.0);
  EXPECT_GE(got.share(got.hint), 99.0);
}

TEST(ClassifyCorpus, FailuresOf2026AreJudgedRight) {
  for (const char* const file : {"failures_2026.jsonl", "more_failures_2026.jsonl"}) {
    const Score got = score(file);
    EXPECT_GE(got.cases, 79) << file;
    EXPECT_GE(got.share(got.category), 99.0) << file;
    EXPECT_GE(got.share(got.retry_and_trip), 99.0) << file;
    EXPECT_GE(got.share(got.fallback), 99.0) << file;
    EXPECT_GE(got.share(got.hint), 99.0) << file;
  }
}

// No rule was written for one of these: what they score is what failures score that nobody has seen yet.
TEST(ClassifyCorpus, FailuresThatNoRuleWasWrittenForAreMostlyJudgedRight) {
  const Score got = score("held_out_2026.jsonl");
  EXPECT_EQ(got.cases, 85);
  EXPECT_GE(got.share(got.category), 95.0);
  EXPECT_GE(got.share(got.retry_and_trip), 95.0);
  EXPECT_GE(got.share(got.fallback), 95.0);
  EXPECT_GE(got.share(got.hint), 98.0);
}

TEST(ClassifyCorpus, NoSuccessIsCalledAFailure) {
  for (const char* const file : {"successes.jsonl", "successes_2026.jsonl", "more_successes_2026.jsonl"}) {
    const Score got = score(file);
    EXPECT_GT(got.cases, 0) << file;
    EXPECT_EQ(got.category, got.cases) << file;
  }
}

}  // namespace
}  // namespace fuseboard
