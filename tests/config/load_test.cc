// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "certificate.h"
#include "config/spelling.h"
#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::environment;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::parsed;
using testing::problem;
using testing::problems;
using ::testing::SizeIs;
using testing::with_model;
using testing::with_providers;

// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("fuseboard-config-{}-{}", getpid(), std::random_device()());
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

TEST(Load, WhatTheFileLeavesOutHasDefaults) {
  const Loaded loaded = parsed(with_providers(""));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->listen.to_text(), "127.0.0.1:8787");
  EXPECT_EQ(loaded.config->max_body, 32U << 20);
  EXPECT_EQ(loaded.config->max_body_memory, 1U << 30);
  EXPECT_EQ(loaded.config->drain_timeout, 30s);
  EXPECT_FALSE(loaded.config->allow_anonymous);
  EXPECT_TRUE(loaded.config->models.empty());
  EXPECT_THAT(loaded.config->providers, SizeIs(2));
}

TEST(Load, ValuesOfTheProcessAreRead) {
  const Loaded loaded = parsed(with_providers("listen: 127.0.0.1:0\nmax_body: 64KiB\ndrain_timeout: 1.5s\n"));
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->listen.port, 0);
  EXPECT_EQ(loaded.config->max_body, 65536U);
  EXPECT_EQ(loaded.config->drain_timeout, 1500ms);
}

TEST(Load, BoundsOfTheProcessHold) {
  EXPECT_EQ(problem(with_providers("max_body: 1KiB\ndrain_timeout: 0s\n")), "");
  EXPECT_EQ(problem(with_providers("max_body: 1GiB\ndrain_timeout: 1h\n")), "");
  EXPECT_EQ(problem(with_providers("max_body: 1023\ndrain_timeout: 3601s\n")),
            "f.yaml:4:11: max_body: 1023 is not allowed; allowed: 1KiB to 1GiB\n"
            "f.yaml:5:16: drain_timeout: 3601s is not allowed; allowed: 0s to 1h");
  EXPECT_THAT(problem(with_providers("max_body: 1073741825\n")), HasSubstr("allowed: 1KiB to 1GiB"));
  EXPECT_EQ(problem(with_providers("max_body_memory: 32MiB\n")), "");
  EXPECT_EQ(problem(with_providers("max_body_memory: 1KiB\nmax_body: 1KiB\n")), "") << "whichever comes first";
  EXPECT_EQ(problem(with_providers("max_body_memory: 1024GiB\n")), "");
  EXPECT_THAT(problem(with_providers("max_body_memory: 31MiB\n")),
              HasSubstr("max_body_memory: 31MiB is not allowed; allowed: max_body to 1TiB"));
  EXPECT_THAT(problem(with_providers("max_body_memory: 1025GiB\n")), HasSubstr("allowed: max_body to 1TiB"));
}

TEST(Load, AllowedHostsAreNamesAndAddresses) {
  const Loaded loaded = parsed(with_providers("allowed_hosts: [LLM.internal, 10.0.0.7, \"[fd00::7]\", \"fd00::8\"]\n"));
  ASSERT_TRUE(loaded.config) << loaded.problems.front().to_text();
  EXPECT_THAT(loaded.config->allowed_hosts, ElementsAre("llm.internal", "10.0.0.7", "fd00::7", "fd00::8"));
  for (const char* host :
       {"\"\"", "http://h", "h:8787", "h/x", "\"*.internal\"", "\"a b\"", "\"[h]\"", "\"[::1]:80\""}) {
    EXPECT_THAT(problem(with_providers(std::string("allowed_hosts: [") + host + "]\n")),
                AllOf(HasSubstr("allowed_hosts[0]"), HasSubstr("without scheme and port")))
        << host;
  }
  EXPECT_THAT(problem(with_providers("allowed_hosts: llm.internal\n")), HasSubstr("a list of host names"));
  std::string many = "allowed_hosts: [";
  for (int i = 0; i < 256; ++i) many += "h" + std::to_string(i) + ", ";
  EXPECT_TRUE(parsed(with_providers(many + "]\n")).config);
  EXPECT_THAT(problem(with_providers(many + "h256]\n")), HasSubstr("more than 256 hosts"));
}

TEST(Load, TheAdminTokenIsASecret) {
  EXPECT_TRUE(parsed(with_providers("")).config->admin_token.empty());
  EXPECT_TRUE(parsed(with_providers("admin: {token: \"${NONE:-}\"}\n")).config->admin_token.empty());
  EXPECT_EQ(parsed(with_providers("admin: {token: t-1}\n")).config->admin_token.reveal(), "t-1");
  EXPECT_THAT(problem(with_providers("admin: {token: \"hush hush\"}\n")),
              AllOf(HasSubstr("admin.token"), HasSubstr("***"), Not(HasSubstr("hush"))));
  EXPECT_THAT(problem(with_providers("admin: {tokn: t}\n")), HasSubstr("token"));
}

TEST(Load, TheListenAddressIsNumeric) {
  EXPECT_EQ(*parse_listen_address("127.0.0.1:8787"), (ListenAddress{"127.0.0.1", 8787}));
  EXPECT_EQ(*parse_listen_address("localhost:1"), (ListenAddress{"localhost", 1}));
  EXPECT_EQ(*parse_listen_address("[::1]:65535"), (ListenAddress{"::1", 65535}));
  EXPECT_EQ(parse_listen_address("[::1]:65535")->to_text(), "[::1]:65535");
  for (const char* text : {"", "8787", ":8787", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
                           "[127.0.0.1]:80", "[localhost]:80", "example.com:80", "127.1:80", "1.2.3.4:8 ", "[::1]80"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

TEST(Load, AnAddressThatOthersReachMustBeMeant) {
  EXPECT_TRUE((ListenAddress{"127.8.9.1", 1}).is_loopback());
  EXPECT_TRUE((ListenAddress{"::1", 1}).is_loopback());
  EXPECT_FALSE((ListenAddress{"::", 1}).is_loopback());
  EXPECT_THAT(problem(with_providers("listen: 0.0.0.0:80\n")),
              HasSubstr("f.yaml:4:9: listen: this address can be reached"));
  EXPECT_THAT(problem(with_providers("listen: \"[::]:80\"\nallow_anonymous: false\n")),
              HasSubstr("allow_anonymous: true"));
  EXPECT_EQ(problem(with_providers("allow_anonymous: true\nlisten: 0.0.0.0:80\n")), "");
  EXPECT_EQ(problem(with_providers("allow_anonymous: yes\n")),
            "f.yaml:4:18: allow_anonymous: yes is not allowed; allowed: true, false");
}

TEST(Load, EveryProblemIsReportedAtOnceInTheOrderOfTheFile) {  // CORE-6
  EXPECT_THAT(
      problems("drain_timeout: 2\n"
               "listen: x\n"
               "models:\n"
               "  m: {targets: [{provider: p, model: y}], retry: {max_attempts: 0, base: 2d}, nope: 1}\n"
               "providers:\n"
               "  p: {dialect: x, base_url: y, api_key: ${MISSING}, timeouts: {idle: 0s}}\n"),
      ElementsAre(HasSubstr("f.yaml:1:16: drain_timeout: 2 is not"), HasSubstr("f.yaml:2:9: listen: x is not"),
                  HasSubstr("f.yaml:4:65: models.m.retry.max_attempts: 0"),
                  HasSubstr("f.yaml:4:74: models.m.retry.base: 2d"), HasSubstr("f.yaml:4:79: models.m.nope"),
                  HasSubstr("f.yaml:6:16: providers.p.dialect: x"), HasSubstr("f.yaml:6:29: providers.p.base_url: y"),
                  HasSubstr("f.yaml:6:41: providers.p.api_key: the environment variable MISSING is not set"),
                  HasSubstr("f.yaml:6:70: providers.p.timeouts.idle: 0s")));
}

TEST(Load, ADiagnosticHasItsParts) {  // CORE-6
  const Loaded loaded = parsed(with_model("    retry: {max_attempts: 0}\n"));
  EXPECT_FALSE(loaded.config);
  ASSERT_THAT(loaded.problems, SizeIs(1));
  EXPECT_EQ(loaded.problems[0], (Diagnostic{.file = "f.yaml",
                                            .line = 7,
                                            .column = 27,
                                            .field = "models.m.retry.max_attempts",
                                            .value = "0",
                                            .allowed = "1 to 100",
                                            .message = "0 is not allowed; allowed: 1 to 100"}));
}

TEST(Load, ProblemsAreBounded) {  // CORE-5
  std::string text;
  for (std::size_t i = 0; i < 2 * kMaxProblems; ++i) text += fmt::format("unknown{}: 1\n", i);
  const Loaded loaded = parsed(text);
  ASSERT_THAT(loaded.problems, SizeIs(kMaxProblems));
  EXPECT_EQ(loaded.problems.back().to_text(), "f.yaml: more problems than the 499 shown");
}

TEST(Load, NothingOfAFileReachesTheTerminalAsAControlCharacter) {
  EXPECT_THAT(problem(with_providers("\"\\e[31m\\n\\x7f\\u009b\": 1\n")),
              HasSubstr("f.yaml:4:1: \\x1b[31m\\x0a\\x7f\\u{009b}: not"));
  EXPECT_THAT(problem(with_providers("listen: \"\\e[2J\"\n")), HasSubstr("listen: \\x1b[2J is not allowed"));
}

TEST(Load, LongValuesAreShortenedWhereTheyAreShown) {
  const std::string long_text(1000, 'x');
  EXPECT_THAT(problem(with_providers("listen: " + long_text + "\n")),
              HasSubstr("listen: " + std::string(120, 'x') + "... is not allowed"));
}

TEST(Load, VariablesServeEveryKindOfValue) {
  const Loaded loaded = parsed(with_model("    retry: {max_attempts: ${N}, base: ${D}, factor: \"${F:-1.5}\"}\n"
                                          "max_body: ${S}\nlisten: 127.0.0.1:${PORT:-99}\n"),
                               {{"N", "7"}, {"D", "2s"}, {"S", "2KiB"}});
  ASSERT_TRUE(loaded.config) << loaded.problems[0].to_text();
  EXPECT_EQ(loaded.config->models[0].plan.retry.max_attempts, 7U);
  EXPECT_EQ(loaded.config->models[0].plan.retry.base, 2s);
  EXPECT_DOUBLE_EQ(loaded.config->models[0].plan.retry.factor, 1.5);
  EXPECT_EQ(loaded.config->max_body, 2048U);
  EXPECT_EQ(loaded.config->listen.port, 99);
}

TEST(Load, SharedBlocksServeSeveralModels) {
  const Loaded loaded =
      parsed(with_providers("models:\n"
                            "  one: &common {targets: [{provider: a, model: x}], retry: &r {max_attempts: 2}}\n"
                            "  two: {<<: *common, retry: {<<: *r, base: 1s}}\n"));
  ASSERT_TRUE(loaded.config) << loaded.problems[0].to_text();
  EXPECT_EQ(loaded.config->models[1].targets[0].model, "x");
  EXPECT_EQ(loaded.config->models[1].plan.retry.max_attempts, 2U);
  EXPECT_EQ(loaded.config->models[1].plan.retry.base, 1s);
}

TEST(Load, AFileIsReadFromDisk) {
  const Folder folder;
  const std::string path = folder.write("fuseboard.yaml", with_providers("max_body: 2KiB\n"));
  const Loaded loaded = load_file(path, environment());
  ASSERT_TRUE(loaded.config);
  EXPECT_EQ(loaded.config->max_body, 2048U);
}

TEST(Load, TheManualsExamplesAreRight) {
  std::ifstream file(FUSEBOARD_SOURCE_DIR "/docs/configuration.md");
  const std::string manual{std::istreambuf_iterator<char>(file), {}};
  constexpr std::string_view kFence = "```yaml\n";
  int examples = 0;
  for (auto at = manual.find(kFence); at != std::string::npos; at = manual.find(kFence, at + 1)) {
    const auto begin = at + kFence.size();
    const std::string example = manual.substr(begin, manual.find("```", begin) - begin);
    EXPECT_EQ(problem(example, {{"OPENAI_API_KEY", "k"}, {"ANTHROPIC_API_KEY", "k"}, {"AZURE_KEY", "k"}}), "");
    ++examples;
  }
  EXPECT_EQ(examples, 4);
}

TEST(Load, AFileThatCannotBeReadSaysWhy) {
  const Folder folder;
  const std::string missing = folder.path("none.yaml");
  EXPECT_EQ(load_file(missing, environment()).problems.at(0).to_text(),
            missing + ": cannot be read: No such file or directory");
  EXPECT_EQ(load_file(folder.path(""), environment()).problems.at(0).to_text(),
            folder.path("") + ": cannot be read: Is a directory");
}

TEST(Load, AFileThatIsTooLargeIsNotReadToItsEnd) {  // CORE-5
  const Folder folder;
  const std::string path = folder.write("big.yaml", std::string(kMaxConfigBytes + 2, '#'));
  EXPECT_EQ(load_file(path, environment()).problems.at(0).to_text(), path + ": larger than 1048576 bytes");
}

TEST(Load, FilesThatAFileNamesMustBeThere) {
  const Folder folder;
  const std::string path = folder.write("f.yaml", testing::with_provider("    tls: {ca: ca.pem}\n"));
  EXPECT_EQ(load_file(path, environment()).problems.at(0).to_text(),
            path + ":5:15: providers.p.tls.ca: this file cannot be read");
  folder.write("ca.pem", testing::kCertificate);
  EXPECT_EQ(load_file(path, environment()).config->providers[0].ca_file, folder.path("ca.pem"));
}

TEST(Load, TheProcessEnvironmentKnowsWhatIsSetAndWhatIsNot) {
  const Environment process = process_environment();
  EXPECT_TRUE(process("PATH"));
  EXPECT_FALSE(process("FUSEBOARD_SURELY_NOT_SET"));
}

TEST(Spelling, DistanceCountsTypingMistakes) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("retry", "retyr"), 1U);
  EXPECT_EQ(edit_distance("listen", "lsten"), 1U);
  EXPECT_EQ(edit_distance("base", "bass"), 1U);
  EXPECT_EQ(edit_distance("Base", "bASE"), 0U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Load, RulesOfTheClassifierAreReadAndHold) {
  const Loaded loaded = parsed(R"(
providers:
  a: {dialect: openai, base_url: http://127.0.0.1:1/v1}
classify: {rules: [{status: 418, phrase: "brewing", category: overloaded, retryable: false}]}
)");
  ASSERT_TRUE(loaded.config.has_value());
  const Classification judged =
      classify({.status = 418, .body = R"({"message":"still brewing"})"}, loaded.config->classify_rules);
  EXPECT_EQ(judged.failure->category, Category::overloaded);
  EXPECT_FALSE(judged.failure->retryable);
}

TEST(Load, AWrongRuleOfTheClassifierIsReportedAtItsPlace) {
  EXPECT_EQ(problems(R"(
providers:
  a: {dialect: openai, base_url: http://127.0.0.1:1/v1}
classify:
  rules:
    - {status: 42, category: overloaded}
    - {status: 418, category: busy}
    - {phrase: "...", retryable: true}
)")
                .size(),
            3U);
}

}  // namespace
}  // namespace fuseboard::config
