// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/access.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;

bool may_administrate(std::string_view peer, const net::Headers& headers, const AccessRules& rules = {}) {
  return !admin_problem(peer, headers, rules);
}

TEST(AdminAccess, IsForLoopbackUnderALoopbackNameAlone) {
  EXPECT_TRUE(may_administrate("127.0.0.1", {{"host", "127.0.0.1:8787"}}));
  EXPECT_TRUE(may_administrate("::1", {{"host", "[::1]:8787"}}));
  EXPECT_TRUE(may_administrate("::ffff:127.0.0.1", {{"host", "localhost"}}));
  EXPECT_TRUE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "http://localhost:3000"}}));
  EXPECT_FALSE(may_administrate("10.0.0.7", {{"host", "127.0.0.1:8787"}}));
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "rebound.example:8787"}})) << "a rebound DNS name";
  for (const char* name : {"127.evil.example", "127.0.0.1.evil.example:8787", "127.", "127.0.0.1evil"}) {
    EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", name}})) << "a name that begins like an address: " << name;
    const std::string origin = std::string("http://") + name;
    EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", origin}})) << origin;
  }
  EXPECT_FALSE(may_administrate("127.0.0.1", {})) << "no Host at all";
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "https://evil.example"}}));
  EXPECT_FALSE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"origin", "null"}})) << "a sandboxed page";
}

TEST(AdminAccess, BehindAProxyNeedsTheToken) {
  const AccessRules with_token{.admin_token = "secret-token"};
  for (const char* name :
       {"X-Forwarded-For", "x-forwarded-host", "x-forwarded-proto", "X-Original-Forwarded-For", "Forwarded",
        "x-real-ip", "Via", "CF-Connecting-IP", "True-Client-IP", "Fastly-Client-IP", "X-Azure-ClientIP",
        "x-cluster-client-ip", "X-Client-IP", "x-envoy-external-address", "X-AppEngine-Remote-Client-Addr"}) {
    const net::Headers headers = {{"host", "localhost"}, {name, "10.0.0.7"}};
    const auto problem = admin_problem("127.0.0.1", headers, {});
    ASSERT_TRUE(problem) << name;
    EXPECT_EQ(problem->error, GatewayError::unauthorized);
    EXPECT_TRUE(problem->message.contains(name) && problem->message.contains("token")) << problem->message;
    net::Headers sent = headers;
    EXPECT_FALSE(may_administrate("127.0.0.1", sent, with_token)) << name;
    sent.add("authorization", "Bearer secret-token");
    EXPECT_TRUE(may_administrate("127.0.0.1", sent, with_token)) << name;
  }
  EXPECT_TRUE(may_administrate("127.0.0.1", {{"host", "localhost"}, {"x-forwarding", "1"}, {"viaduct", "1"}}));
}

TEST(AdminAccess, WithATokenAsksEverybodyForIt) {
  const AccessRules rules{.admin_token = "secret-token"};
  const auto may = [&](std::string_view peer, std::string_view authorization) {
    return may_administrate(peer, {{"host", "gateway.test"}, {"authorization", authorization}}, rules);
  };
  EXPECT_TRUE(may("127.0.0.1", "Bearer secret-token"));
  EXPECT_TRUE(may("10.0.0.7", "bearer secret-token"));
  for (const char* wrong : {"", "Bearer ", "Bearer secret-toke", "Bearer secret-tokens", "Bearer secret-tokem",
                            "Basic secret-token", "secret-token", "Bearer  secret-token"})
    EXPECT_FALSE(may("127.0.0.1", wrong)) << wrong;
  const net::Headers two = {{"authorization", "Bearer secret-token"}, {"Authorization", "Bearer other"}};
  EXPECT_FALSE(may_administrate("127.0.0.1", two, rules)) << "what stands in front of this may have read the other one";
  const auto problem = admin_problem("127.0.0.1", {{"host", "localhost"}}, rules);
  ASSERT_TRUE(problem);
  EXPECT_FALSE(problem->message.contains("secret-token")) << "TEL-4.2";
}

TEST(HostProblem, KnowsLoopbackInAllItsSpellings) {
  for (const char* host :
       {"127.0.0.1", "127.0.0.1:80", "127.255.0.9:1", "localhost:8787", "LocalHost", "[::1]", "[::1]:80"})
    EXPECT_FALSE(host_problem({{"Host", host}, {"Origin", std::string("https://") + host}}, {})) << host;
  for (const char* host : {"", "127.0.0.10.1", "127.0.0", "128.0.0.1", "localhost.", "[::2]", "[::1", "127.0.0.1 "})
    EXPECT_TRUE(host_problem({{"host", host}}, {})) << host;
}

TEST(HostProblem, KnowsTheConfiguredNames) {
  const AccessRules rules{.allowed_hosts = {"llm.internal", "10.0.0.7", "fd00::7"}};
  for (const char* host :
       {"llm.internal", "LLM.Internal:8787", "10.0.0.7:80", "[fd00::7]:80", "[FD00::7]", "localhost"}) {
    EXPECT_FALSE(host_problem({{"host", host}}, rules)) << host;
    EXPECT_FALSE(host_problem({{"host", "localhost"}, {"origin", std::string("http://") + host}}, rules)) << host;
  }
  for (const char* host :
       {"other.internal", "llm.internal.evil.example", "xllm.internal", "[fd00::8]", "llm.internal."}) {
    const auto problem = host_problem({{"host", host}}, rules);
    ASSERT_TRUE(problem) << host;
    EXPECT_EQ(problem->error, GatewayError::host_not_allowed);
    EXPECT_TRUE(problem->message.contains("allowed_hosts")) << problem->message;
  }
}

TEST(HostProblem, LooksAtEveryOriginAndShowsNoneThatSteersATerminal) {
  const auto problem = host_problem(
      {{"host", "localhost"}, {"origin", "http://localhost"}, {"Origin", "http://evil\u202E.example"}}, {});
  ASSERT_TRUE(problem);
  EXPECT_TRUE(problem->message.contains("evil\\u{202e}.example")) << problem->message;
}

TEST(CallerProblem, IsThatOfItsHostUnlessAnybodyMayAsk) {
  const net::Headers rebound = {{"host", "rebound.example"}, {"origin", "https://evil.example"}};
  const auto problem = caller_problem(rebound, {});
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->error, GatewayError::host_not_allowed);
  EXPECT_FALSE(caller_problem(rebound, {.allow_anonymous = true}));
  EXPECT_FALSE(caller_problem({{"host", "localhost"}, {"origin", "http://localhost"}}, {}));
  EXPECT_TRUE(admin_problem("127.0.0.1", rebound, {.allow_anonymous = true})) << "that is for callers of models";
}

TEST(CallerProblem, TwoOriginsAreOneTooManyForEverybody) {
  const net::Headers two = {{"host", "localhost"}, {"origin", "http://localhost"}, {"Origin", "http://localhost"}};
  for (const bool allow_anonymous : {false, true}) {
    const auto problem = caller_problem(two, {.allow_anonymous = allow_anonymous});
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->error, GatewayError::invalid_request);
  }
}

}  // namespace
}  // namespace fuseboard::gateway
