// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/splice.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace fuseboard::gateway {
namespace {

using Mode = Splice::Mode;

// What the caller gets of a second answer that comes in these pieces; nullopt: the two do not fit.
std::optional<std::string> join(Mode mode, std::string_view delivered, const std::vector<std::string>& pieces,
                                std::size_t unsaid = 0) {
  Splice splice(mode, delivered, unsaid);
  std::string out;
  for (const std::string& piece : pieces) {
    if (!splice.take(piece, out)) return std::nullopt;
  }
  if (!splice.end(out)) return std::nullopt;
  return out;
}

constexpr std::string_view kDelivered = "The quick brown fox jumps over the lazy";

TEST(Splice, AContinuationIsAddedAsItIs) {  // STR-5.12
  EXPECT_EQ(join(Mode::continues, kDelivered, {" dog", " and", " runs."}), " dog and runs.");
}

TEST(Splice, AFreshAnswerGivesOnlyWhatTheCallerLacks) {  // STR-5.13
  EXPECT_EQ(join(Mode::restarts, kDelivered, {"The quick brown fox ", "jumps over the lazy dog", "."}), " dog.");
}

TEST(Splice, AFreshAnswerThatDiffersIsOfNoUse) {  // STR-5.9
  EXPECT_EQ(join(Mode::restarts, kDelivered, {"The quick brown cat"}), std::nullopt);
}

TEST(Splice, NothingOfAFreshAnswerIsGivenBeforeAllOfTheFirstHasBeenRepeated) {  // STR-5.13
  Splice splice(Mode::restarts, kDelivered);
  std::string out;
  ASSERT_TRUE(splice.take(kDelivered, out));
  EXPECT_EQ(out, "");
  ASSERT_TRUE(splice.take(" dog", out));
  EXPECT_EQ(out, " dog");
}

TEST(Splice, AFreshAnswerThatEndsBeforeTheFirstDoesNotFit) {  // STR-5.9
  EXPECT_EQ(join(Mode::restarts, kDelivered, {"The quick"}), std::nullopt);
}

TEST(Splice, AFreshAnswerThatEndsWhereTheFirstBrokeOffAddsNothing) {  // STR-5.13
  EXPECT_EQ(join(Mode::restarts, kDelivered, {std::string(kDelivered)}), "");
}

TEST(Splice, ATargetThatBeganAnewAlthoughItWasToGoOnIsFoundOut) {  // STR-5.17
  EXPECT_EQ(join(Mode::continues, kDelivered, {"The quick brown fox jumps ", "over the lazy dog."}), " dog.");
  EXPECT_EQ(join(Mode::continues, kDelivered, {"The quick brown fox jumps", " under the table"}), std::nullopt);
  EXPECT_EQ(join(Mode::continues, kDelivered, {"The quick brown fox jumps"}), std::nullopt);
}

TEST(Splice, AContinuationMayRepeatAFewWordsOfTheBeginning) {  // STR-5.17
  EXPECT_EQ(join(Mode::continues, kDelivered, {" The", " quick dog"}), " The quick dog");
  EXPECT_EQ(join(Mode::continues, kDelivered, {"The", " quick dog"}), "The quick dog");
  EXPECT_EQ(join(Mode::continues, kDelivered, {"The quick"}), "The quick");
}

TEST(Splice, AShortBeginningIsNoEvidenceOfAFreshAnswer) {  // STR-5.17
  EXPECT_EQ(join(Mode::continues, "ha", {"ha", " ha"}), "ha ha");
}

TEST(Splice, WhiteSpaceThatThePrefillLeftOffIsNotSaidTwice) {  // STR-5.12
  EXPECT_EQ(join(Mode::continues, "Hello ", {" ", "world"}, 1), "world");
  EXPECT_EQ(join(Mode::continues, "Hello ", {"world"}, 1), "world");
  EXPECT_EQ(join(Mode::continues, "One:\n\n", {"\n", "\n", "\nTwo"}, 2), "\nTwo");
  EXPECT_EQ(join(Mode::continues, "One:\n\n", {"\n"}, 2), "");
  EXPECT_EQ(join(Mode::continues, std::string(kDelivered) + "\n", {"\n", "- dog"}, 1), "- dog");
  EXPECT_EQ(join(Mode::continues, std::string(kDelivered) + "\n\n", {"\n", "\n", "Next"}, 2), "Next");
}

RC_GTEST_PROP(Splice, ThePiecesOfAFreshAnswerDoNotChangeWhatIsGiven, ()) {  // STR-5.13
  const auto whole = *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'd')));
  const std::size_t cut = *rc::gen::inRange<std::size_t>(1, whole.size() + 1);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t length = *rc::gen::inRange<std::size_t>(1, 4);
    pieces.push_back(whole.substr(at, length));
    at += length;
  }
  RC_ASSERT(join(Mode::restarts, whole.substr(0, cut), pieces) == whole.substr(cut));
}

}  // namespace
}  // namespace fuseboard::gateway
