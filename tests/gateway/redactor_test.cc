// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/redactor.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kSecret = "sk-a/b+c=9";

std::string redacted(std::string text, std::string_view secret = kSecret) {
  Redactor({std::string(secret)}).redact(text);
  return text;
}

TEST(Redactor, TakesASecretOutHoweverItIsSpelled) {  // TEL-4.7
  for (const auto& [text, clean] : {
           std::pair{"key sk-a/b+c=9.", "key ***."},
           {"Bearer sk-a/b+c=9", "Bearer ***"},
           {"sk-a/b+c=9sk-a/b+c=9 sk-a/b+c=9", "****** ***"},
           {R"({"auth":"sk-a\/b+c=9"})", R"({"auth":"***"})"},
           {R"({"auth":"\u0073k\u002Da\u002fb\u002bc\u003d9"})", R"({"auth":"***"})"},
           {"?key=sk-a%2Fb%2Bc%3D9&x", "?key=***&x"},
           {"?key=%73k-a%2fb%2bc%3d9&x", "?key=***&x"},
           {"?key=sk-a%252Fb%25252Bc=9", "?key=***"},
           {R"({"body":"{\"auth\":\"sk-a\\/b+c=9\"}"})", R"({"body":"{\"auth\":\"***\"}"})"},
           {R"({"body":"{\"auth\":\"sk\\u002da\\\\\/b+c=9\"}"})", R"({"body":"{\"auth\":\"***\"}"})"},
           {R"(sk-a\u00252Fb+c=9)", "***"},
       }) {
    EXPECT_EQ(redacted(text), clean);
  }
}

TEST(Redactor, LeavesEverythingElseToTheByte) {
  for (const std::string_view text : {"", "sk-a/b+c=", "k-a/b+c=9", "SK-A/B+C=9", R"({"a":"\n\u00e9\\","b":"100%"})",
                                      "%", "%2", "%zz", "\\", "\\u12", "\\u002", "sk-a\\u012fb+c=9"}) {
    std::string same(text);
    EXPECT_FALSE(Redactor({std::string(kSecret)}).redact(same));
    EXPECT_EQ(same, text);
  }
}

TEST(Redactor, KnowsSeveralSecretsAndSecretsWithEscapesInThem) {
  std::string text = "one secret-1, the other secret-22";
  EXPECT_TRUE(Redactor({"secret-1", "secret-22"}).redact(text));
  EXPECT_EQ(text, "one ***, the other ***");
  EXPECT_EQ(redacted(R"(a\"b\\c%41d)", R"(a"b\c%41d)"), "***");
  EXPECT_EQ(redacted(R"(a"b\c%41d)", R"(a"b\c%41d)"), "***");
}

TEST(Redactor, LeavesAloneWhatIsTooShortToBeTold) {
  EXPECT_EQ(redacted("test it", "test"), "test it");
  EXPECT_EQ(redacted("secre", "secre"), "secre");
  EXPECT_EQ(redacted("secret", "secret"), "***");
  EXPECT_EQ(redacted("\\\\", "\\\\\\\\\\\\"), "\\\\") << "nothing is left of it without its escapes";
}

TEST(Redactor, FindsTheSpellingsOfEncodersInAnswers) {
  const Redactor redactor({std::string(kSecret)});
  for (std::string text : {"sk-a/b+c=9", R"(sk-a\/b+c=9)", "sk-a%2Fb%2Bc%3D9"}) {
    EXPECT_TRUE(redactor.redact_usual(text));
    EXPECT_EQ(text, "***");
  }
}

TEST(Redactor, TakesASecretOutOfHeaders) {
  const Redactor redactor({std::string(kSecret)});
  net::Headers headers = {{"x-a", "1"}, {"x-echo", "Bearer sk-a/b+c=9"}, {"X-A", "2"}};
  redactor.redact(headers);
  ASSERT_EQ(headers.size(), 3U);
  EXPECT_EQ(headers[0].value, "1");
  EXPECT_EQ(headers[1].value, "Bearer ***");
  EXPECT_EQ(headers[2].name, "X-A");
}

TEST(Redactor, CostsNoMoreForTextThatNearlyIsTheSecret) {  // CORE-5
  // Quadratic work would take minutes.
  const std::string secret = std::string(4000, 'a') + 'b';
  std::string text = std::string(std::size_t{4} << 20, 'a') + "%41";
  EXPECT_FALSE(Redactor({secret}).redact(text));
}

}  // namespace
}  // namespace fuseboard::gateway
