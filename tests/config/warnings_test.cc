// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is legal and hardly meant.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "certificate.h"
#include "config/base_url_advice.h"
#include "config/ca_file.h"
#include "config/spelling.h"
#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::parsed;

std::vector<std::string> warnings(std::string_view text, testing::Variables variables = {}) {
  const Loaded loaded = parsed(text, std::move(variables));
  EXPECT_TRUE(loaded.config) << (loaded.problems.empty() ? "" : loaded.problems[0].to_text());
  std::vector<std::string> lines;
  for (const Diagnostic& warning : loaded.warnings) lines.push_back(warning.to_text());
  return lines;
}

std::string provider(std::string_view keys) {
  return "providers:\n  p: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\", " + std::string(keys) + "}\n";
}

TEST(Warnings, AVariableWithoutBracesIsSentAsItStands) {
  EXPECT_THAT(
      warnings(provider("api_key: $OPENAI_API_KEY")),
      ElementsAre("warning: f.yaml:2:68: providers.p.api_key: begins with $ and has no braces, so it is sent as "
                  "it stands; for an environment variable write ${NAME}"));
  EXPECT_THAT(warnings(provider("api_key: k, headers: {x-a: $KEY}, query: {b: $KEY}")).size(), 2U);
  EXPECT_THAT(warnings(provider("api_key: ${KEY}"), {{"KEY", "$LOOKS_LIKE_ONE"}}), IsEmpty())
      << "what a variable holds is meant as it is";
  EXPECT_THAT(warnings(provider("api_key: $2a$10")), IsEmpty()) << "no variable has such a name";
  EXPECT_THAT(warnings(provider("api_key: a$KEY")), IsEmpty());
}

std::string advice(std::string_view url, Dialect dialect = Dialect::openai) {
  const std::string text =
      "providers:\n  p: {dialect: " + std::string(name(dialect)) + ", base_url: \"" + std::string(url) + "\"}\n";
  std::string all;
  for (const std::string& line : warnings(text)) all += line;
  return all;
}

TEST(Warnings, AKnownHostWithoutItsPath) {
  EXPECT_THAT(advice("https://api.openai.com"), HasSubstr("https://api.openai.com/v1 is probably meant"));
  EXPECT_THAT(advice("https://openrouter.ai/v1"), HasSubstr("https://openrouter.ai/api/v1 is probably meant"));
  EXPECT_THAT(advice("http://127.0.0.1:11434"), HasSubstr("http://127.0.0.1:11434/v1 is probably meant"));
  EXPECT_THAT(advice("https://X.openai.azure.com"),
              HasSubstr("https://X.openai.azure.com/openai/v1 is probably meant"));
  for (const char* url : {"https://api.openai.com/v1", "https://api.openai.com/v1/", "https://api.openai.com:8443",
                          "https://my-api.openai.com.example", "http://127.0.0.1:8080", "https://api.deepseek.com",
                          "https://x.openai.azure.com/openai/deployments/d"}) {
    EXPECT_EQ(advice(url), "") << url;
  }
  EXPECT_EQ(advice("https://api.anthropic.com", Dialect::anthropic), "") << "this one is written without";
}

TEST(Warnings, ABaseUrlThatNamesAnEndpoint) {
  EXPECT_THAT(advice("https://api.openai.com/v1/chat/completions"), HasSubstr("ends in /chat/completions"));
  EXPECT_THAT(advice("https://api.anthropic.com/v1/messages", Dialect::anthropic), HasSubstr("ends in /messages"));
  EXPECT_THAT(advice("http://host.example/v1/responses/"), HasSubstr("ends in /responses"));
}

TEST(Warnings, AKeyThatDoesNothing) {
  const std::string providers = "providers: {p: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\"}}\n";
  EXPECT_THAT(warnings(providers + "models: {m: {targets: [{provider: p, model: x, weight: 2}]}}\n"),
              ElementsAre("warning: f.yaml:2:56: models.m.targets[0].weight: does nothing under strategy: ordered; "
                          "weights are for strategy: weighted"));
  EXPECT_THAT(
      warnings(providers + "models: {m: {strategy: weighted, targets: [{provider: p, model: x, weight: 2}]}}\n"),
      IsEmpty());
  EXPECT_THAT(
      warnings(providers + "models: {m: {stream_recovery: fail, targets: [{provider: p, model: x, prefill: true}]}}\n"),
      ElementsAre(HasSubstr("prefill: does nothing under stream_recovery: fail")));
  EXPECT_THAT(warnings(providers + "models: {m: {targets: [{provider: p, model: x, prefill: true}]}}\n"), IsEmpty());
  EXPECT_THAT(warnings(providers + "models: {m: {cache: {ttl: 1m}, targets: [{provider: p, model: x}]}}\n"),
              ElementsAre(HasSubstr("models.m.cache: does nothing yet")));
}

TEST(Warnings, ATabThatIndentsOrSeparatesIsToldOnce) {
  EXPECT_THAT(warnings("providers:\n  p: {dialect:\topenai, base_url:\t\"http://127.0.0.1:1/v1\"}\n"),
              ElementsAre(HasSubstr("warning: f.yaml:2:15: a tab")));
  EXPECT_THAT(warnings(provider("headers: {x-a: \"a\tb\"}") + "# a\tcomment\n"), IsEmpty());
  const Loaded loaded = parsed("providers:\n\tp: {}\n");
  EXPECT_FALSE(loaded.config);
  ASSERT_EQ(loaded.warnings.size(), 1U) << "of a file with problems too";
  EXPECT_THAT(loaded.warnings[0].to_text(), HasSubstr("f.yaml:2:1: a tab"));
}

TEST(Warnings, WithoutAnyThereIsNone) { EXPECT_THAT(warnings(provider("api_key: k")), IsEmpty()); }

std::string with_targets(int count) {
  std::string text =
      "providers: {p: {dialect: openai, base_url: \"http://127.0.0.1:1/v1\"}}\nmodels:\n  m:\n    targets:\n";
  for (int i = 0; i < count; ++i) text += "      - {provider: p, model: m" + std::to_string(i) + "}\n";
  return text;
}

TEST(Check, AModelHasAtMost64Targets) {
  EXPECT_TRUE(parsed(with_targets(64)).config);
  EXPECT_EQ(testing::problem(with_targets(65)),
            "f.yaml:5:7: models.m.targets: a model has at most 64 targets; here are 65");
}

// A new one, as PEM.
std::string private_key() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  EXPECT_EQ(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

class CaFile : public ::testing::Test {
 protected:
  std::optional<std::string> problem_of(std::string_view text) {
    const std::string path = ::testing::TempDir() + "fuseboard_ca_file_test.pem";
    std::ofstream(path) << text;
    return ca_file_problem(path);
  }
};

TEST_F(CaFile, TakesWhatHoldsACertificateAndNothingElse) {
  EXPECT_EQ(problem_of(testing::kCertificate), std::nullopt);
  EXPECT_EQ(problem_of("a comment\n" + std::string(testing::kCertificate)), std::nullopt);
  for (const std::string_view text :
       {"", "no PEM at all\n", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}) {
    ASSERT_TRUE(problem_of(text)) << text;
    EXPECT_THAT(*problem_of(text), HasSubstr("no certificate in this file")) << text;
  }
  ASSERT_TRUE(problem_of(private_key())) << "a whole one, of a key";
  EXPECT_THAT(*problem_of(private_key()), HasSubstr("no certificate in this file"));
  EXPECT_THAT(*problem_of(testing::kCertificate.substr(0, testing::kCertificate.size() / 2)), HasSubstr("damaged"));
  EXPECT_EQ(ca_file_problem("/nonexistent.pem"), "this file cannot be read");
}

TEST(Spelling, FindsTheNameThatIsMeant) {
  const std::vector<std::string_view> known = {"serve", "check", "version"};
  EXPECT_EQ(nearest_name("chekc", known), "check");
  EXPECT_EQ(nearest_name("SERVE", known), "serve");
  EXPECT_EQ(nearest_name("explain", known), std::nullopt);
}

}  // namespace
}  // namespace fuseboard::config
