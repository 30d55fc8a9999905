// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/behaviour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using Opening = PlannedFault::Opening;

PlannedFault planned(std::string_view model, std::uint64_t nth = 0, Duration since_reset = {}) {
  const auto name = read_model_name(model);
  EXPECT_TRUE(name.has_value()) << model;
  return name ? planned_fault_of(*name, nth, since_reset) : PlannedFault();
}

TEST(Behaviours, EveryNameIsUniqueAndItsDefaultParameterIsReadable) {
  std::set<std::string_view> names;
  for (const Behaviour& row : behaviours()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(read_model_name(row.name).has_value()) << row.name;
    EXPECT_FALSE(row.summary.empty()) << row.name;
    EXPECT_EQ(row.default_parameter.empty(), row.kind == ParameterKind::kNone) << row.name;
  }
}

TEST(Behaviours, TheContractsNamesExist) {
  for (const char* name : {"sim-ok",
                           "sim-503",
                           "sim-429-retry-after",
                           "sim-429",
                           "sim-500-once",
                           "sim-slow-first-token",
                           "sim-slow",
                           "sim-stream-cut",
                           "sim-stall",
                           "sim-malformed-event",
                           "sim-no-done",
                           "sim-reset",
                           "sim-silent",
                           "sim-context-length",
                           "sim-content-filter",
                           "sim-flap",
                           "sim-quota",
                           "sim-html-502",
                           "sim-empty",
                           "sim-400",
                           "sim-401",
                           "sim-404-model",
                           "sim-529",
                           "sim-error-in-200",
                           "sim-error-in-stream",
                           "sim-tool-call",
                           "sim-echo"}) {
    EXPECT_TRUE(read_model_name(name).has_value()) << name;
  }
}

TEST(Behaviours, OtherNamesBehaveLikeSimOk) {
  EXPECT_EQ(planned("gpt-5").behaviour, "sim-ok");
  EXPECT_EQ(planned("gpt-5:nano#x").opening, Opening::kAnswer);
  EXPECT_EQ(planned("").behaviour, "sim-ok");
}

TEST(Behaviours, UnknownSimNamesAndBadParametersAreNoModels) {
  EXPECT_FALSE(read_model_name("sim-").has_value());
  EXPECT_FALSE(read_model_name("sim-nonsense").has_value());
  EXPECT_FALSE(read_model_name("sim-503:2").has_value());
  EXPECT_FALSE(read_model_name("sim-slow:").has_value());
  EXPECT_FALSE(read_model_name("sim-slow:3").has_value());
  EXPECT_FALSE(read_model_name("sim-slow:25h").has_value());
  EXPECT_FALSE(read_model_name("sim-stream-cut:-1").has_value());
  EXPECT_FALSE(read_model_name("sim-stream-cut:1s").has_value());
  EXPECT_THAT(read_model_name("sim-slow:fast").error(), ::testing::HasSubstr("a duration such as 250ms"));
}

TEST(Behaviours, ParametersTakeThePlaceOfDefaults) {
  EXPECT_EQ(planned("sim-slow-first-token").first_token_wait, 2s);
  EXPECT_EQ(planned("sim-slow-first-token:250ms").first_token_wait, 250ms);
  EXPECT_EQ(planned("sim-slow:1.5ms").token_gap, Duration(1'500'000));
  EXPECT_EQ(planned("sim-stream-cut").after_tokens, 3U);
  EXPECT_EQ(planned("sim-stream-cut:5").after_tokens, 5U);
  EXPECT_EQ(planned("sim-stall:0").after_tokens, 0U);
  EXPECT_EQ(planned("sim-429-retry-after:1m").retry_after, 1min);
  EXPECT_EQ(planned("sim-long:7").tokens, 7U);
}

TEST(Behaviours, LabelsChangeNothing) {
  EXPECT_EQ(planned("sim-slow-first-token:250ms#mine").first_token_wait, 250ms);
  EXPECT_EQ(planned("sim-503#a:b").opening, Opening::kError);
}

TEST(Behaviours, GoTogetherWithAPlus) {
  const PlannedFault both = planned("sim-no-prefill+sim-stream-cut:5+sim-slow:1ms#mine");
  EXPECT_EQ(both.behaviour, "sim-no-prefill+sim-stream-cut+sim-slow");
  EXPECT_EQ(both.prefill, PlannedFault::Prefill::kRefused);
  EXPECT_EQ(both.ending, PlannedFault::Ending::kCut);
  EXPECT_EQ(both.after_tokens, 5U);
  EXPECT_EQ(both.token_gap, 1ms);
  EXPECT_EQ(planned("sim-stall:1+sim-stream-cut:2").ending, PlannedFault::Ending::kCut) << "the last one decides";
  EXPECT_TRUE(read_model_name("sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok").has_value());
  EXPECT_FALSE(read_model_name("sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok+sim-ok").has_value());
  EXPECT_FALSE(read_model_name("sim-ok+").has_value());
  EXPECT_FALSE(read_model_name("sim-ok+nonsense").has_value());
  EXPECT_FALSE(read_model_name("sim-ok+sim-slow:fast").has_value());
}

TEST(Behaviours, FlapAlternatesByCount) {
  std::string pattern;
  for (std::uint64_t nth = 0; nth < 8; ++nth)
    pattern += planned("sim-flap:2", nth).opening == Opening::kAnswer ? 'u' : 'd';
  EXPECT_EQ(pattern, "uudduudd");
}

TEST(Behaviours, FlapAlternatesByTime) {
  EXPECT_EQ(planned("sim-flap:10s", 99, 9999ms).opening, Opening::kAnswer);
  EXPECT_EQ(planned("sim-flap:10s", 99, 10s).opening, Opening::kError);
  EXPECT_EQ(planned("sim-flap:10s", 99, 20s).opening, Opening::kAnswer);
}

TEST(Behaviours, FlapByNothingDoesNotDivideByIt) {
  EXPECT_EQ(planned("sim-flap:0", 0).opening, Opening::kAnswer);
  EXPECT_EQ(planned("sim-flap:0", 1).opening, Opening::kError);
}

TEST(Behaviours, FiveHundredOnceFailsTheFirstRequestsOnly) {
  EXPECT_EQ(planned("sim-500-once", 0).opening, Opening::kError);
  EXPECT_EQ(planned("sim-500-once", 1).opening, Opening::kAnswer);
  EXPECT_EQ(planned("sim-500-once:3", 2).opening, Opening::kError);
  EXPECT_EQ(planned("sim-500-once:3", 3).opening, Opening::kAnswer);
}

TEST(Behaviours, StatusesAreThoseOfTheirNames) {
  const std::vector<std::pair<std::string, int>> expected = {{"sim-500", 500},
                                                             {"sim-503", 503},
                                                             {"sim-504", 504},
                                                             {"sim-529", 529},
                                                             {"sim-429", 429},
                                                             {"sim-quota", 429},
                                                             {"sim-context-length", 400},
                                                             {"sim-content-filter", 400},
                                                             {"sim-400", 400},
                                                             {"sim-401", 401},
                                                             {"sim-403", 403},
                                                             {"sim-404-model", 404}};
  for (const auto& [name, status] : expected) EXPECT_EQ(usual_status(planned(name).error), status) << name;
}

TEST(Behaviours, TheDocumentationShowsTheTable) {
  std::ifstream file(FUSEBOARD_SOURCE_DIR "/docs/simulated-provider.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(behaviours_markdown()), std::string::npos)
      << "docs/simulated-provider.md must hold this table:\n"
      << behaviours_markdown();
}

TEST(Behaviours, TheJsonListsEveryRow) {
  const auto json = nlohmann::json::parse(behaviours_json());
  EXPECT_EQ(json["behaviours"].size(), behaviours().size());
  EXPECT_EQ(json["behaviours"][0]["name"], "sim-ok");
}

}  // namespace
}  // namespace fuseboard::sim
