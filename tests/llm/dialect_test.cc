// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The compiler refuses a dialect without a row, and a row without a member; that each member says something is tested
// here.

#include "llm/dialect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "json/scan.h"
#include "llm/codec.h"
#include "llm/finish_reason.h"
#include "llm/translate_answer.h"
#include "llm/translate_request.h"

namespace fuseboard::llm {
namespace {

const std::string kRequest = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]})";

class EveryDialect : public testing::TestWithParam<Dialect> {};
INSTANTIATE_TEST_SUITE_P(Dialects, EveryDialect, testing::ValuesIn(kDialects),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Dialects, StandInTheListOnceEachAndUnderNamesOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<Endpoint> endpoints;
  std::set<std::string_view> paths;
  for (std::size_t i = 0; i < kDialects.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kDialects[i]), i);
    names.insert(name(kDialects[i]));
    endpoints.insert(chat_endpoint(kDialects[i]));
    paths.insert(traits(kDialects[i]).chat_path);
  }
  EXPECT_EQ(names.size(), kDialects.size());
  EXPECT_EQ(endpoints.size(), kDialects.size());
  EXPECT_EQ(paths.size(), kDialects.size());
}

TEST_P(EveryDialect, IsWholeForThoseWhoSendAndAnswerInIt) {
  const DialectTraits& row = traits(GetParam());
  EXPECT_FALSE(row.name.empty());
  EXPECT_TRUE(row.chat_path.starts_with("/v1/")) << row.chat_path;
  EXPECT_FALSE(row.key_header.empty());
  EXPECT_TRUE(row.key_scheme.empty() || row.key_scheme.ends_with(' '));
  EXPECT_EQ(row.version.empty(), row.version_header.empty());
  EXPECT_TRUE(row.stream_end.ends_with("\n\n"));
  EXPECT_EQ(dialect_of(row.chat), GetParam());
  EXPECT_TRUE(translates(row.chat));
}

TEST_P(EveryDialect, HasACodecWithoutAGap) {
  const Codec& row = codec(GetParam());
  EXPECT_FALSE(row.conversations.empty());
  EXPECT_TRUE(row.read_request != nullptr && row.write_request != nullptr);
  EXPECT_GT(row.most_stop_sequences, 0U);
  EXPECT_TRUE(row.read_answer != nullptr && row.write_answer != nullptr && row.make_stream_writer != nullptr);
  EXPECT_TRUE(row.error_body != nullptr && row.error_type != nullptr && row.name_category != nullptr);
  EXPECT_TRUE(row.error_event_head.empty() || row.error_event_head.ends_with('\n'));
  EXPECT_TRUE(row.own_error_type != nullptr);
  EXPECT_TRUE(row.models_body != nullptr && row.model_body != nullptr);
}

TEST_P(EveryDialect, HasAWordForEveryReasonToFinish) {
  for (const FinishReason reason : {FinishReason::stop, FinishReason::stop_sequence, FinishReason::length,
                                    FinishReason::tool_calls, FinishReason::content_filter, FinishReason::other}) {
    EXPECT_FALSE(finish_word(GetParam(), reason, false).empty());
  }
}

TEST_P(EveryDialect, HasATypeForEachOfTheGatewaysErrors) {
  for (int i = 0; i <= static_cast<int>(GatewayError::stream_interrupted); ++i) {
    const auto error = static_cast<GatewayError>(i);
    EXPECT_FALSE((info(error).*codec(GetParam()).own_error_type).empty()) << info(error).code;
    EXPECT_FALSE(json::validate(error_body(GetParam(), error, "why")));
  }
}

TEST_P(EveryDialect, TakesARequestFromItselfAndFromEveryOther) {
  for (const Dialect from : kDialects) {
    EXPECT_TRUE(translate_request(from, GetParam(), kRequest, {.model = "n"})) << name(from);
  }
}

TEST_P(EveryDialect, ReadsTheAnswersAndTheStreamsThatItWrites) {
  const std::vector<Delta> said = {{.kind = Delta::Kind::begin, .id = "a", .model = "m"},
                                   {.kind = Delta::Kind::text, .text = "Hello"},
                                   {.kind = Delta::Kind::finish, .reason = FinishReason::stop}};
  const auto read = answer_deltas(GetParam(), answer_body(GetParam(), said, {}));
  ASSERT_TRUE(read);
  EXPECT_TRUE(std::ranges::any_of(*read, [](const Delta& delta) { return delta.text == "Hello"; }));
  EXPECT_TRUE(answer_events(GetParam(), said, {}).ends_with(traits(GetParam()).stream_end));
}

}  // namespace
}  // namespace fuseboard::llm
