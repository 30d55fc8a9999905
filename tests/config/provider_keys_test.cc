// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/config/loading.h"

namespace fuseboard::config {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::parsed;
using testing::problem;
using testing::problems;
using testing::Variables;
using testing::with_provider;

ProviderConfig provider(std::string_view keys, Variables variables = {}) {
  const Loaded loaded = parsed(with_provider(keys), std::move(variables));
  EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
  return loaded.config ? loaded.config->providers.at(0) : ProviderConfig{};
}

TEST(Provider, WithoutACredentialNoneIsSent) {
  const ProviderConfig p = provider("");
  EXPECT_EQ(p.name, "p");
  EXPECT_EQ(p.dialect, Dialect::openai);
  EXPECT_EQ(p.auth, Auth::none);
  EXPECT_TRUE(p.api_key.empty());
}

TEST(Provider, ACredentialIsSentInTheDialectsWayUnlessAuthSaysOtherwise) {
  EXPECT_EQ(provider("    api_key: k\n").auth, Auth::bearer);
  EXPECT_EQ(provider("    api_key: k\n    auth: bearer\n").auth, Auth::bearer);
  EXPECT_EQ(provider("    api_key: k\n    auth: x-api-key\n").auth, Auth::x_api_key);
  EXPECT_EQ(provider("    api_key: k\n    auth: api-key\n").auth, Auth::api_key);
  EXPECT_EQ(provider("    auth: none\n").auth, Auth::none);
}

ProviderConfig anthropic(std::string_view keys) {
  const Loaded loaded = parsed("providers: {p: {dialect: anthropic, " + std::string(keys) + "}}");
  EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
  return loaded.config ? loaded.config->providers.at(0) : ProviderConfig{};
}

TEST(Provider, ForwardHeadersAreNamesWithStars) {  // FBK-3.3
  EXPECT_THAT(provider("").forward_headers, ElementsAre());
  EXPECT_THAT(provider("    forward_headers: [X-Team-*, baggage, \"x-*-id\", \"*-id\"]\n").forward_headers,
              ElementsAre("x-team-*", "baggage", "x-*-id", "*-id"));
  EXPECT_THAT(provider("    auth: passthrough\n    forward_headers: [x-goog-api-key]\n").forward_headers,
              ElementsAre("x-goog-api-key"));
}

TEST(Provider, ForwardHeadersNameNoCredentialAndNothingOfAConnection) {  // FBK-3.4
  for (const std::string_view name :
       {"Authorization", "x-goog-api-key", "x-goog-api-key*", "\"*authorization\"", "ocp-apim-subscription-key",
        "openai-organization", "OpenAI-Project", "helicone-auth", "x-amz-security-token"}) {
    EXPECT_THAT(problem(with_provider(fmt::format("    forward_headers: [x-team-*, {}]\n", name))),
                AllOf(HasSubstr("providers.p.forward_headers[1]"), HasSubstr("auth: passthrough")))
        << name;
  }
  for (const std::string_view name :
       {"Connection", "te", "upgrade", "transfer-encoding", "Content-Length", "host", "cookie", "cookie*",
        "proxy-authorization", "x-fuseboard-session", "content-encoding", "accept-encoding", "x-request-id"}) {
    EXPECT_THAT(problem(with_provider(fmt::format("    auth: passthrough\n    forward_headers: [{}]\n", name))),
                AllOf(HasSubstr("providers.p.forward_headers[0]"), HasSubstr("never forwarded")))
        << name;
  }
  for (const std::string_view name : {"\"*\"", "\"\"", "x", "\"x*\"", "\"a b\"", "\"a:\"", "\"ä-b\""}) {
    EXPECT_THAT(problem(with_provider(fmt::format("    forward_headers: [{}]\n", name))),
                AllOf(HasSubstr("providers.p.forward_headers[0]"), HasSubstr("a header's name of 1 to 128 characters")))
        << name;
  }
  EXPECT_THAT(problem(with_provider("    forward_headers: x-team-*\n")), HasSubstr("a list of header names"));
  std::string many = "    forward_headers: [";
  for (int i = 0; i < 64; ++i) many += fmt::format("x-{}, ", i);
  EXPECT_EQ(provider(many + "]\n").forward_headers.size(), 64U);
  EXPECT_THAT(problem(with_provider(many + "x-64]\n")), HasSubstr("more than 64 names"));
  EXPECT_EQ(provider("    forward_headers: [x" + std::string(127, 'a') + "]\n").forward_headers.size(), 1U);
  EXPECT_THAT(problem(with_provider("    forward_headers: [x" + std::string(128, 'a') + "]\n")),
              HasSubstr("forward_headers[0]"));
}

TEST(Provider, TheMessagesDialectHasItsOwnWayToSendACredential) {
  const ProviderConfig p = anthropic("base_url: https://h, api_key: k");
  EXPECT_EQ(p.dialect, Dialect::anthropic);
  EXPECT_EQ(p.auth, Auth::x_api_key);
  EXPECT_EQ(anthropic("base_url: https://h, api_key: k, auth: bearer").auth, Auth::bearer);
  EXPECT_EQ(anthropic("base_url: https://h").auth, Auth::none);
}

TEST(Provider, TheBaseUrlOfTheMessagesDialectMayEndInTheVersionOnce) {
  EXPECT_EQ(anthropic("base_url: https://h").base_url.path, "");
  EXPECT_EQ(anthropic("base_url: https://h/v1").base_url.path, "");
  EXPECT_EQ(anthropic("base_url: https://h/v1/").base_url.path, "");
  EXPECT_EQ(anthropic("base_url: https://h/proxy/v1").base_url.path, "/proxy");
  EXPECT_EQ(anthropic("base_url: https://h/v1/v1").base_url.path, "/v1");
  EXPECT_EQ(anthropic("base_url: https://h/dev1").base_url.path, "/dev1");
}

TEST(Provider, PassthroughHasNoCredentialOfItsOwn) {
  const ProviderConfig p = provider("    auth: passthrough\n");
  EXPECT_EQ(p.auth, Auth::passthrough);
  EXPECT_TRUE(p.api_key.empty());
  EXPECT_EQ(problem(with_provider("    auth: passthrough\n    api_key: k\n")),
            "f.yaml:5:11: providers.p.auth: passthrough would leave api_key unused; leave one of them out");
}

TEST(Provider, PassthroughLeavesTheCredentialsHeadersToTheCaller) {
  EXPECT_THAT(problems(with_provider("    auth: passthrough\n    headers:\n      Authorization: hush\n"
                                     "      x-api-key: hush\n      api-key: hush\n      x-team: a\n")),
              ElementsAre("f.yaml:7:7: providers.p.headers.Authorization: passthrough leaves this header to the caller",
                          "f.yaml:8:7: providers.p.headers.x-api-key: passthrough leaves this header to the caller",
                          "f.yaml:9:7: providers.p.headers.api-key: passthrough leaves this header to the caller"));
}

TEST(Provider, DialectsAndWaysToSendACredentialHaveTheirNamesInTheFile) {
  for (const auto& [auth, text] : {std::pair{Auth::none, "none"},
                                   {Auth::bearer, "bearer"},
                                   {Auth::x_api_key, "x-api-key"},
                                   {Auth::api_key, "api-key"},
                                   {Auth::passthrough, "passthrough"}})
    EXPECT_EQ(name(auth), text);
  EXPECT_EQ(name(Dialect::openai), "openai");
  EXPECT_EQ(name(Dialect::anthropic), "anthropic");
}

TEST(Provider, TheHostDecidesTheFieldOfTheCapUnlessTheFileDoes) {
  const auto field = [](std::string_view url, std::string_view keys = "") {
    const Loaded loaded = parsed(fmt::format("providers: {{p: {{dialect: openai, base_url: \"{}\"{}}}}}", url, keys));
    EXPECT_TRUE(loaded.config) << loaded.problems.front().to_text();
    return loaded.config ? loaded.config->providers.at(0).cap_field : CapField{};
  };
  for (const char* url : {"https://api.openai.com/v1", "https://API.OpenAI.com/v1", "http://eu.api.openai.com:80",
                          "https://mine.openai.azure.com/openai/v1"}) {
    EXPECT_EQ(field(url), CapField::max_completion_tokens) << url;
    EXPECT_EQ(field(url, ", cap_field: max_tokens"), CapField::max_tokens) << url;
  }
  for (const char* url :
       {"http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "https://notopenai.com/v1",
        "https://api.openai.com.test/v1", "https://h.test/api.openai.com", "https://mine.azure.com"}) {
    EXPECT_EQ(field(url), CapField::max_tokens) << url;
    EXPECT_EQ(field(url, ", cap_field: max_completion_tokens"), CapField::max_completion_tokens) << url;
  }
}

TEST(Provider, TheFieldOfTheCapIsOneOfTwoAndOnlyForTheOpenAiDialect) {
  EXPECT_EQ(problem(with_provider("    cap_field: max_output_tokens\n")),
            "f.yaml:5:16: providers.p.cap_field: max_output_tokens is not allowed; allowed: max_completion_tokens, "
            "max_tokens");
  EXPECT_EQ(problem(with_provider("    cap_feld: max_tokens\n")),
            "f.yaml:5:5: providers.p.cap_feld: not a known key; did you mean \"cap_field\"?");
  EXPECT_EQ(problem("providers: {p: {dialect: anthropic, base_url: https://h, cap_field: max_tokens}}"),
            "f.yaml:1:69: providers.p.cap_field: the anthropic dialect has only max_tokens; leave this out");
}

TEST(Provider, AuthAndApiKeyMustFit) {
  EXPECT_EQ(problem(with_provider("    auth: bearer\n")), "f.yaml:5:11: providers.p.auth: needs an api_key beside it");
  EXPECT_EQ(problem(with_provider("    auth: none\n    api_key: k\n")),
            "f.yaml:5:11: providers.p.auth: none would leave api_key unused; leave one of them out");
  EXPECT_EQ(
      problem(with_provider("    api_key: k\n    auth: basic\n")),
      "f.yaml:6:11: providers.p.auth: basic is not allowed; allowed: bearer, x-api-key, api-key, passthrough, none");
}

TEST(Provider, TheCredentialComesFromTheEnvironmentAndIsNeverShown) {  // TEL-4.1
  const ProviderConfig p = provider("    api_key: ${KEY}\n", {{"KEY", "sk-123"}});
  EXPECT_EQ(p.api_key.reveal(), "sk-123");
  std::ostringstream out;
  out << p.api_key;
  EXPECT_EQ(out.str(), "***");
}

TEST(Provider, AnEmptyOrUnsendableCredentialIsRefusedUnseen) {  // TEL-4.1
  EXPECT_EQ(problem(with_provider("    api_key: ${KEY}\n"), {{"KEY", ""}}),
            "f.yaml:5:14: providers.p.api_key: empty; leave api_key out where the provider needs no credential");
  for (const char* key : {"sk-1\n", "sk-1 2", "sk-1\r\nx: y", "sk-1\xC3\xA9"}) {
    EXPECT_EQ(problem(with_provider("    api_key: ${KEY}\n"), {{"KEY", key}}),
              "f.yaml:5:14: providers.p.api_key: *** is not allowed; allowed: a credential: visible ASCII characters "
              "without spaces");
  }
  EXPECT_THAT(problem(with_provider("    api_key: sk 1\n")), AllOf(HasSubstr("***"), Not(HasSubstr("sk 1"))));
  EXPECT_THAT(problem(with_provider("    api_key: [sk1]\n")), AllOf(HasSubstr("a list"), Not(HasSubstr("sk1"))));
  EXPECT_THAT(problem(with_provider("    api_key: sk1${\n")), Not(HasSubstr("sk1")));
}

TEST(Provider, ACredentialDoesNotLeakThroughAnAlias) {  // TEL-4.1
  EXPECT_THAT(problem(with_provider("    api_key: &k sk-123\n    auth: *k\n")),
              AllOf(HasSubstr("providers.p.auth: *** is not allowed"), Not(HasSubstr("sk-123"))));
}

TEST(Provider, ValuesOfVariablesAreNeverShown) {  // TEL-4.1
  const std::string shown = problem(
      "listen: ${V}\nmax_body: ${V}\ndrain_timeout: ${V}\nallow_anonymous: ${V}\nproviders:\n  p: {dialect: ${V}, "
      "base_url: ${V}, auth: ${V}, api_key: k, breaker: {open: ${V}, failure_threshold: ${V}, preset: ${V}}}\n"
      "models:\n  m: {strategy: ${V}, targets: [{provider: ${V}, model: x}], retry: {factor: ${V}, "
      "overall_deadline: ${V}, max_attempts: ${N}}}\n",
      {{"V", "hush"}, {"N", "4711"}});
  EXPECT_THAT(shown, AllOf(Not(HasSubstr("hush")), Not(HasSubstr("4711"))));
  EXPECT_EQ(std::ranges::count(shown, '\n') + 1, 15);
}

TEST(Provider, OnlyKnownDialectsAreAllowed) {
  EXPECT_EQ(problem("providers: {p: {dialect: antropic, base_url: http://h}}"),
            "f.yaml:1:26: providers.p.dialect: antropic is not allowed; allowed: openai, anthropic");
  EXPECT_EQ(problem("providers: {p: {base_url: http://h}}"),
            "f.yaml:1:16: providers.p.dialect: missing; it takes openai or anthropic");
}

BaseUrl base_url(std::string_view text) {
  const Loaded loaded = parsed("providers: {p: {dialect: openai, base_url: \"" + std::string(text) + "\"}}");
  EXPECT_TRUE(loaded.config) << text;
  return loaded.config ? loaded.config->providers[0].base_url : BaseUrl{};
}

TEST(Provider, TheBaseUrlIsTakenApart) {
  EXPECT_EQ(base_url("https://api.openai.com/v1"), (BaseUrl{true, "api.openai.com", 443, "/v1"}));
  EXPECT_EQ(base_url("http://127.0.0.1:11434/v1/"), (BaseUrl{false, "127.0.0.1", 11434, "/v1"}));
  EXPECT_EQ(base_url("http://h"), (BaseUrl{false, "h", 80, ""}));
  EXPECT_EQ(base_url("http://h/"), (BaseUrl{false, "h", 80, ""}));
  EXPECT_EQ(base_url("https://[::1]:8443/a/b"), (BaseUrl{true, "::1", 8443, "/a/b"}));
  EXPECT_EQ(base_url("https://[::1]:8443/a/b").to_text(), "https://[::1]:8443/a/b");
  EXPECT_EQ(base_url("https://h:443/v1").to_text(), "https://h/v1");
}

TEST(Provider, ABaseUrlThatIsNoneIsRefused) {
  for (const char* url :
       {"", "h", "ftp://h", "https://", "https:///v1", "https://h:0", "https://h:65536", "https://h:", "https://h:80x",
        "https://[::1", "https://[h]", "https://::1", "https://h h", "https://h/a b", "https://h/#f", "HTTP://h"}) {
    EXPECT_THAT(problem("providers: {p: {dialect: openai, base_url: \"" + std::string(url) + "\"}}"),
                HasSubstr("providers.p.base_url: " + (*url == '\0' ? "an empty value" : std::string(url)) +
                          " is not allowed; allowed: http:// or https://"));
  }
}

TEST(Provider, APasswordInABaseUrlIsRefusedUnseen) {  // TEL-4.1
  EXPECT_THAT(problem("providers: {p: {dialect: openai, base_url: \"https://u:hush@h/\"}}"), Not(HasSubstr("hush")));
  EXPECT_THAT(problem("providers: {p: {dialect: openai, base_url: \"https://h/?key=hush\"}}"), Not(HasSubstr("hush")));
}

TEST(Provider, HeadersAndQueryParametersAreKeptInOrder) {
  const ProviderConfig p = provider(
      "    headers: {X-Team: a b, x-other: \"${H}\", x-empty: \"\"}\n"
      "    query: {api-version: \"2025-04-01\", k: a&b}\n",
      {{"H", "h"}});
  ASSERT_EQ(p.headers.size(), 3U);
  EXPECT_EQ(p.headers[0].name, "X-Team");
  EXPECT_EQ(p.headers[0].value.reveal(), "a b");
  EXPECT_EQ(p.headers[1].value.reveal(), "h");
  EXPECT_TRUE(p.headers[2].value.empty());
  ASSERT_EQ(p.query.size(), 2U);
  EXPECT_EQ(p.query[0].name, "api-version");
  EXPECT_EQ(p.query[1].value.reveal(), "a&b");
}

TEST(Provider, HeadersThatWouldBreakARequestAreRefused) {
  EXPECT_THAT(problems(with_provider("    api_key: k\n    headers:\n      Host: h\n      Content-Length: 1\n"
                                     "      x y: 1\n      Authorization: hush\n      a: 1\n      A: 2\n"
                                     "      b: \"hush\\r\\nc: d\"\n      d: \" hush\"\n      e: [hush]\n")),
              ElementsAre("f.yaml:7:7: providers.p.headers.Host: this header is Fuseboard's own to write",
                          "f.yaml:8:7: providers.p.headers.Content-Length: this header is Fuseboard's own to write",
                          "f.yaml:9:7: providers.p.headers.x y: not a header's name",
                          "f.yaml:10:7: providers.p.headers.Authorization: api_key is already sent in this header",
                          "f.yaml:12:7: providers.p.headers.A: duplicate header; upper and lower case are the same",
                          "f.yaml:13:10: providers.p.headers.b: *** is not allowed; allowed: a header's value: visible "
                          "ASCII, no spaces at its ends",
                          "f.yaml:14:10: providers.p.headers.d: *** is not allowed; allowed: a header's value: visible "
                          "ASCII, no spaces at its ends",
                          "f.yaml:15:10: providers.p.headers.e: a list is not allowed; allowed: a header's value: "
                          "visible ASCII, no spaces at its ends"));
}

TEST(Provider, WithoutAnApiKeyTheCallerMayWriteTheCredentialHeader) {
  EXPECT_EQ(provider("    headers: {authorization: Basic abc}\n").headers[0].value.reveal(), "Basic abc");
}

TEST(Provider, CertificateFilesAreFoundBesideTheConfiguration) {
  const std::string text = with_provider("    tls: {ca: ca/corp.pem}\n");
  EXPECT_EQ(parse(text, "/etc/fuseboard/f.yaml", testing::environment()).config->providers[0].ca_file,
            "/etc/fuseboard/ca/corp.pem");
  EXPECT_EQ(parse(text, "f.yaml", testing::environment()).config->providers[0].ca_file, "ca/corp.pem");
  EXPECT_EQ(provider("    tls: {ca: /abs.pem}\n").ca_file, "/abs.pem");
  EXPECT_EQ(provider("    tls: {}\n").ca_file, "");
}

TEST(Provider, TlsSettingsNeedTls) {
  EXPECT_EQ(problem("providers: {p: {dialect: openai, base_url: http://h, tls: {ca: x}}}"),
            "f.yaml:1:59: providers.p.tls: base_url begins with http://, so there is no TLS to set up");
  EXPECT_THAT(problem(with_provider("    tls: {ca: \"\"}\n")), HasSubstr("providers.p.tls.ca: an empty value"));
}

TEST(Provider, ItsBreakerAndTimeoutsHoldForTargetsThatNoModelNames) {
  const Loaded loaded = parsed(with_provider("    breaker: {failure_threshold: 9}\n    timeouts: {idle: 7s}\n"));
  ASSERT_TRUE(loaded.config);
  const auto target = loaded.config->target("p", "any/model");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->model, "any/model");
  EXPECT_EQ(target->breaker.failure_threshold, 9U);
  EXPECT_EQ(target->timeouts.idle, 7s);
  EXPECT_EQ(target->timeouts.connect, AttemptTimeouts{}.connect);
  EXPECT_EQ(target->request.max_tokens, 4096U);
  EXPECT_EQ(target->request.reasoning, Reasoning::budget);
  EXPECT_FALSE(target->request.prefill);
  EXPECT_EQ(loaded.config->target("q", "m"), std::nullopt);
}

TEST(Provider, NamesHaveNoSlash) {
  EXPECT_EQ(problem("providers: {a/b: {dialect: openai, base_url: http://h}}"),
            "f.yaml:1:13: providers.a/b: a provider's name is 1 to 128 letters, digits, dots, underscores and hyphens");
  EXPECT_EQ(problem("providers: {\"\": {dialect: openai, base_url: http://h}}").find("f.yaml:1:13: providers."), 0U);
  EXPECT_EQ(problem("providers: {a.B_9-: {dialect: openai, base_url: http://h}}"), "");
}

TEST(Provider, ThereIsAtLeastOne) {
  EXPECT_EQ(problem("listen: 127.0.0.1:1\n"), "f.yaml:1:1: providers: missing; it takes a map of names to providers");
  EXPECT_EQ(problem("providers: {}\n"),
            "f.yaml:1:12: providers: an empty map is not allowed; allowed: a map of names to providers, at least one");
  EXPECT_EQ(problem("providers:\n"),
            "f.yaml:1:1: providers: nothing is not allowed; allowed: a map of names to providers, at least one");
}

}  // namespace
}  // namespace fuseboard::config
