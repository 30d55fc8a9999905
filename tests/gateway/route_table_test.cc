// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/route_table.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/routes.h"

namespace fuseboard::gateway {
namespace {

// Handlers that are only told apart.
template <int>
net::Task<void> handler(RouteContext&) {
  co_return;
}
constexpr RouteHandler kA = handler<1>;
constexpr RouteHandler kB = handler<2>;
constexpr RouteHandler kC = handler<3>;
constexpr RouteHandler kD = handler<4>;

RouteHandler handler_of(const RouteTable& table, std::string_view method, std::string_view path) {
  const auto match = table.find(method, path);
  return match ? match->serve : nullptr;
}

TEST(RouteTable, TellsAPathThatIsNotThereFromAMethodThatIsNotAllowed) {
  const RouteTable table({{"GET", "/a", kA}, {"POST", "/a", kB}, {"POST", "/b", kC}});
  EXPECT_EQ(handler_of(table, "GET", "/a"), kA);
  EXPECT_EQ(handler_of(table, "POST", "/a"), kB);
  EXPECT_FALSE(table.find("GET", "/c"));
  const auto refused = table.find("DELETE", "/a");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->serve, nullptr);
  EXPECT_EQ(refused->methods, "GET, POST");
  EXPECT_EQ(refused->allow, "GET, HEAD, POST");
  EXPECT_EQ(table.find("GET", "/b")->allow, "POST");
}

TEST(RouteTable, ServesHeadAsGet) {
  const RouteTable table({{"GET", "/a", kA}, {"POST", "/b", kB}});
  EXPECT_EQ(handler_of(table, "HEAD", "/a"), kA);
  ASSERT_TRUE(table.find("HEAD", "/b"));
  EXPECT_EQ(handler_of(table, "HEAD", "/b"), nullptr);
  EXPECT_EQ(handler_of(table, "head", "/a"), nullptr) << "methods are case-sensitive (RFC 9110 9.1)";
}

TEST(RouteTable, TakesPathsAsTheyAreWritten) {
  const RouteTable table({{"GET", "/a/b", kA}, {"GET", "/", kB}});
  EXPECT_EQ(handler_of(table, "GET", "/a/b"), kA);
  EXPECT_EQ(handler_of(table, "GET", "/"), kB);
  for (const char* other : {"", "a/b", "/a", "/a/b/", "/a/b/c", "/a//b", "//a/b", "/A/b", "/a/%62", "*", "/a/bc"}) {
    EXPECT_FALSE(table.has(other)) << other;
  }
}

TEST(RouteTable, AParameterIsOneSegmentDecoded) {
  const RouteTable table({{"GET", "/keys/{key}/uses/{use}", kA}});
  const auto match = table.find("GET", "/keys/a%2Fb%20c/uses/7");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->parameters.get("key"), "a/b c");
  EXPECT_EQ(match->parameters.get("use"), "7");
  for (const char* other : {"/keys/a/uses", "/keys/a/uses/", "/keys//uses/7", "/keys/a/b/uses/7", "/keys/a/uses/7/"}) {
    EXPECT_FALSE(table.has(other)) << other;
  }
}

TEST(RouteTable, ThreeDotsTakeAllTheRest) {
  const RouteTable table({{"GET", "/models/{model...}", kA}});
  const auto model = [&](std::string_view path) { return table.find("GET", path)->parameters.get("model"); };
  EXPECT_EQ(model("/models/smart"), "smart");
  EXPECT_EQ(model("/models/p/a%2Fb/"), "p/a/b/");
  EXPECT_EQ(model("/models//"), "/");
  EXPECT_FALSE(table.has("/models/"));
  EXPECT_FALSE(table.has("/models"));
}

TEST(RouteTable, AParameterThatIsNotWellEncodedHasNoValue) {
  const RouteTable table({{"GET", "/models/{model...}", kA}});
  for (const char* path : {"/models/%", "/models/a%2", "/models/%zz"}) {
    const auto match = table.find("GET", path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->parameters.get("model"), std::nullopt) << path;
  }
}

TEST(RouteTable, PrefersWhatIsWrittenOutToAParameterAndOneSegmentToAllTheRest) {
  const RouteTable table({{"GET", "/{all...}", kD}, {"GET", "/x/{one}", kC}, {"GET", "/x/list", kA}});
  const RouteTable reversed({{"GET", "/x/list", kA}, {"GET", "/x/{one}", kC}, {"GET", "/{all...}", kD}});
  for (const RouteTable* const routes : {&table, &reversed}) {
    EXPECT_EQ(handler_of(*routes, "GET", "/x/list"), kA);
    EXPECT_EQ(handler_of(*routes, "GET", "/x/other"), kC);
    EXPECT_EQ(handler_of(*routes, "GET", "/x/list/more"), kD);
    EXPECT_EQ(handler_of(*routes, "GET", "/y"), kD);
  }
}

TEST(RouteTable, TheFirstSegmentThatDiffersDecidesWhateverParametersAreCalled) {
  const RouteTable table({{"GET", "/{a}/{y}", kA}, {"GET", "/{b}/x", kB}, {"GET", "/u/{z}", kC}});
  EXPECT_EQ(handler_of(table, "GET", "/q/x"), kB);
  EXPECT_EQ(handler_of(table, "GET", "/q/y"), kA);
  EXPECT_EQ(handler_of(table, "GET", "/u/x"), kC);
}

TEST(RouteTable, TheLiteralThatLeadsNowhereDoesNotHideAParameter) {
  const RouteTable table({{"GET", "/a/b/c", kA}, {"GET", "/a/{x}/d", kB}});
  const auto match = table.find("GET", "/a/b/d");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->serve, kB);
  EXPECT_EQ(match->parameters.get("x"), "b");
}

TEST(RouteTable, ThePathThatIsPreferredDecidesWhichMethodsThereAre) {
  const RouteTable table({{"GET", "/x/list", kA}, {"POST", "/x/{one}", kB}});
  const auto match = table.find("POST", "/x/list");
  ASSERT_TRUE(match);
  EXPECT_EQ(match->serve, nullptr);
  EXPECT_EQ(match->allow, "GET, HEAD");
}

TEST(RouteTableDeathTest, CannotBeAmbiguous) {
  EXPECT_DEATH(RouteTable({{"GET", "/a", kA}, {"GET", "/a", kB}}), "one route");
  EXPECT_DEATH(RouteTable({{"GET", "/a/{x}", kA}, {"GET", "/a/{x}", kB}}), "one route");
  EXPECT_DEATH(RouteTable({{"GET", "/a/{x}", kA}, {"GET", "/a/{y}", kB}}), "in one way");
  EXPECT_DEATH(RouteTable({{"HEAD", "/a", kA}}), "HEAD");
}

TEST(RouteTableDeathTest, HasPatternsThatCanBeRead) {
  for (const char* pattern : {"", "a", "/{}", "/{...}", "/a{b}", "/{a}b", "/{a", "/{{a}}", "/{a...}/b", "/{a}/{a}"}) {
    EXPECT_DEATH(RouteTable({{"GET", pattern, kA}}), "") << pattern;
  }
  EXPECT_DEATH(RouteTable({{"GET", "/{a}/{b}/{c}/{d}/{e}", kA}}), "few parameters");
  const RouteTable table({{"GET", "/{a}", kA}});
  EXPECT_DEATH((void)table.find("GET", "/x")->parameters.get("b"), "its own pattern");
}

TEST(GatewayRoutes, AreEachServedAtTheirPath) {
  for (const auto& [method, path] : {std::pair{"POST", "/v1/chat/completions"},
                                     {"POST", "/v1/messages/count_tokens"},
                                     {"GET", "/v1/models"},
                                     {"GET", "/v1/models/provider/model"},
                                     {"HEAD", "/healthz"},
                                     {"GET", "/admin/v1/state"}}) {
    EXPECT_NE(handler_of(route_table(), method, path), nullptr) << path;
  }
}

}  // namespace
}  // namespace fuseboard::gateway
