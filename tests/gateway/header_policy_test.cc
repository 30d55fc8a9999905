// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/header_policy.h"

#include <gtest/gtest.h>

#include <string>

namespace fuseboard::gateway {
namespace {

using llm::Dialect;

Provider provider() {
  return {.name = "p",
          .dialect = Dialect::openai,
          .auth = config::Auth::bearer,
          .origin = {.tls = false, .host = "127.0.0.1", .port = 80},
          .path_prefix = "/v1",
          .query = "api-version=2025-04-01",
          .headers = {{"authorization", "Bearer theirs"}, {"x-team", "a"}},
          .ca_file = {}};
}

Provider anthropic() {
  return {.name = "c",
          .dialect = Dialect::anthropic,
          .auth = config::Auth::x_api_key,
          .origin = {.tls = true, .host = "c.test", .port = 443},
          .path_prefix = "",
          .query = "",
          .headers = {{"x-api-key", "theirs"}},
          .ca_file = {}};
}

// Sends each caller's own credential.
Provider passing(Provider provider) {
  provider.auth = config::Auth::passthrough;
  provider.headers = {{"x-team", "a"}};
  return provider;
}

net::RequestHead post(net::Headers headers, std::string target = "/v1/x") {
  return {.method = "POST", .target = std::move(target), .headers = std::move(headers)};
}

bool says(const net::RequestHead& head, std::string_view text) {
  for (const net::Header header : head.headers) {
    if (header.value.contains(text)) return true;
  }
  return head.target.contains(text);
}

TEST(UpstreamRequest, CarriesTheProvidersCredentialAndNeverTheCallers) {  // FBK-3.1, TEL-4.2
  const net::RequestHead caller{
      .method = "POST",
      .target = "/v1/chat/completions",
      .headers = {{"Authorization", "Bearer mine"}, {"X-Api-Key", "mine"}, {"Cookie", "mine"}}};
  const net::RequestHead head = upstream_request(caller, provider(), "/chat/completions", llm::Dialect::openai);
  EXPECT_EQ(head.target, "/v1/chat/completions?api-version=2025-04-01");
  EXPECT_EQ(head.headers.get("authorization"), "Bearer theirs");
  for (const net::Header header : head.headers)
    EXPECT_EQ(header.value.find("mine"), std::string_view::npos) << header.name;
}

TEST(UpstreamRequest, CarriesWhatTheDialectDefinesAndNothingElse) {  // FBK-3.2, FBK-3.3
  const net::Headers travels = {
      {"Accept", "1"},         {"accept-language", "2"},   {"Content-Type", "3"}, {"anthropic-beta", "4"},
      {"Anthropic-Beta", "5"}, {"anthropic-version", "6"}, {"OpenAI-Beta", "7"},  {"Idempotency-Key", "8"},
      {"User-Agent", "9"},     {"X-Stainless-Lang", "10"}, {"traceparent", "11"}, {"TraceState", "12"}};
  const net::Headers stays = {{"host", "gateway"},
                              {"connection", "keep-alive, x-hop"},
                              {"x-hop", "1"},
                              {"x-fuseboard-deadline-ms", "5"},
                              {"expect", "100-continue"},
                              {"content-encoding", "gzip"},
                              {"x-team", "caller's"},
                              {"x-custom", "1"},
                              {"baggage", "user=1"},
                              {"origin", "http://localhost"},
                              {"referer", "http://localhost/secret"},
                              {"x-forwarded-for", "10.0.0.7"},
                              {"forwarded", "for=10.0.0.7"},
                              {"sec-fetch-mode", "cors"},
                              {"anthropic-dangerous-direct-browser-access", "true"}};
  net::Headers sent = travels;
  for (const net::Header header : stays) sent.add(header.name, header.value);
  const net::RequestHead head = upstream_request(post(sent), provider(), "/x", Dialect::openai);
  ASSERT_EQ(head.headers.size(), travels.size() + 3) << "and accept-encoding, authorization, x-team of the provider";
  for (std::size_t i = 0; i < travels.size(); ++i) {
    EXPECT_EQ(head.headers[i].name, travels[i].name);
    EXPECT_EQ(head.headers[i].value, travels[i].value);
  }
  EXPECT_EQ(head.headers.get("accept-encoding"), "identity");
  EXPECT_EQ(head.headers.get("x-team"), "a") << "what the configuration sets wins";
}

constexpr std::string_view kCredentials[] = {"Authorization",
                                             "X-API-Key",
                                             "Api-Key",
                                             "OpenAI-Organization",
                                             "openai-project",
                                             "x-goog-api-key",
                                             "X-Goog-User-Project",
                                             "Ocp-Apim-Subscription-Key",
                                             "x-amz-security-token",
                                             "helicone-auth",
                                             "cf-aig-authorization",
                                             "x-portkey-api-key",
                                             "xi-api-key",
                                             "x-auth-token",
                                             "X_Auth_Token",
                                             "chatgpt-account-id",
                                             "x.client.secret"};

TEST(UpstreamRequest, CredentialsAndAccountsUnderAnyNameLeaveOnlyWhereTheyArePassedThrough) {  // FBK-3.4, TEL-4.2
  for (const std::string_view name : kCredentials) {
    const net::RequestHead caller = post({{name, "the caller's"}});
    Provider wide = provider();
    wide.forward_headers = {"*-*", "x*"};
    EXPECT_FALSE(says(upstream_request(caller, provider(), "/y", Dialect::openai), "the caller's")) << name;
    EXPECT_FALSE(says(upstream_request(caller, wide, "/y", Dialect::openai), "the caller's")) << name;
    EXPECT_TRUE(says(upstream_request(caller, passing(provider()), "/y", Dialect::openai), "the caller's")) << name;
  }
  for (const std::string_view name : {"Cookie", "Proxy-Authorization", "x-fuseboard-key", "x-custom"}) {
    EXPECT_FALSE(says(upstream_request(post({{name, "the caller's"}}), passing(provider()), "/y", Dialect::openai),
                      "the caller's"))
        << name;
  }
}

TEST(UpstreamRequest, CarriesWhatForwardHeadersNames) {  // FBK-3.3
  Provider to = provider();
  to.forward_headers = {"x-team-*", "baggage", "x-*-id", "t*", "x-f*"};
  const auto carried = [&](std::string_view name) {
    return says(upstream_request(post({{name, "the caller's"}}), to, "/y", Dialect::openai), "the caller's");
  };
  for (const std::string_view name :
       {"x-team-a", "X-TEAM-b-c", "x-team-", "Baggage", "x-my-id", "X-A-B-ID", "tenant", "x-foo"})
    EXPECT_TRUE(carried(name)) << name;
  for (const std::string_view name : {"x-team", "y-team-a", "baggages", "x-my-id2", "x-id", "te", "Trailer",
                                      "transfer-encoding", "X-Fuseboard-Session", "x-request-id", "x-team-token"})
    EXPECT_FALSE(carried(name)) << name;
  const net::Headers twice = {{"x-team-a", "1"}, {"X-Team-A", "2"}, {"connection", "x-team-b"}, {"x-team-b", "3"}};
  const net::RequestHead head = upstream_request(post(twice), to, "/y", Dialect::anthropic);
  EXPECT_EQ(head.headers[0].value, "1") << "whatever dialect the caller speaks";
  EXPECT_EQ(head.headers[1].value, "2");
  EXPECT_FALSE(head.headers.contains("x-team-b")) << "Connection names it";
}

TEST(UpstreamRequest, KeepsTheCallersQueryBesideTheProviders) {
  const auto target = [](std::string asked, const Provider& to, Dialect spoken) {
    return upstream_request(post({}, std::move(asked)), to, "/y", spoken).target;
  };
  EXPECT_EQ(target("/v1/messages?beta=true", anthropic(), Dialect::anthropic), "/y?beta=true");
  EXPECT_EQ(target("/v1/messages", anthropic(), Dialect::anthropic), "/y");
  EXPECT_EQ(target("/v1/x?", anthropic(), Dialect::anthropic), "/y");
  EXPECT_EQ(target("http://h/v1/x?a=%26&&b", provider(), Dialect::openai), "/v1/y?a=%26&b&api-version=2025-04-01");
}

TEST(UpstreamRequest, TheProvidersParametersWinHoweverTheCallerSpellsThem) {
  Provider to = provider();
  to.query = "api-version=2025-04-01&a%20b=c";
  for (const char* query :
       {"api-version=1", "api%2Dversion=1", "api-version", "api-version=1&api-version=2", "a%20b=1", "a+b=1"}) {
    EXPECT_EQ(upstream_request(post({}, std::string("/v1/x?") + query), to, "/y", llm::Dialect::openai).target,
              "/v1/y?api-version=2025-04-01&a%20b=c")
        << query;
  }
  EXPECT_EQ(upstream_request(post({}, "/v1/x?api-versions=1&%zz=2"), to, "/y", llm::Dialect::openai).target,
            "/v1/y?api-versions=1&%zz=2&api-version=2025-04-01&a%20b=c");
}

TEST(UpstreamRequest, NamesTheVersionThatAMessagesProviderRequires) {
  const auto version = [](net::Headers callers, Provider to, Dialect spoken) {
    const net::RequestHead head = upstream_request(post(std::move(callers)), to, "/v1/messages", spoken);
    return std::string(head.headers.get("anthropic-version"));
  };
  EXPECT_EQ(version({}, anthropic(), Dialect::anthropic), "2023-06-01");
  EXPECT_EQ(version({}, anthropic(), Dialect::openai), "2023-06-01");
  EXPECT_EQ(version({{"Anthropic-Version", "2023-01-01"}}, anthropic(), Dialect::anthropic), "2023-01-01");
  EXPECT_EQ(version({{"anthropic-version", "2023-01-01"}}, anthropic(), Dialect::openai), "2023-06-01")
      << "what a caller of another dialect writes there is not about this body";
  Provider pinned = anthropic();
  pinned.headers.set("anthropic-version", "2030-01-01");
  EXPECT_EQ(version({{"anthropic-version", "2023-01-01"}}, pinned, Dialect::anthropic), "2030-01-01");
  EXPECT_EQ(version({}, provider(), Dialect::openai), "");
}

TEST(UpstreamRequest, HeadersOfTheCallersDialectStayBehindWhenItIsTranslated) {
  const net::RequestHead caller = post({{"Content-Type", "application/json; charset=utf-8"},
                                        {"Anthropic-Beta", "tools"},
                                        {"openai-beta", "o"},
                                        {"X-Stainless-Lang", "js"},
                                        {"user-agent", "agent"}},
                                       "/v1/messages?beta=true");
  const net::RequestHead translated = upstream_request(caller, provider(), "/chat/completions", Dialect::anthropic);
  for (const char* dropped : {"anthropic-beta", "openai-beta", "x-stainless-lang"})
    EXPECT_FALSE(translated.headers.contains(dropped)) << dropped;
  EXPECT_EQ(translated.headers.get("user-agent"), "agent");
  EXPECT_EQ(translated.headers.get("content-type"), "application/json");
  EXPECT_EQ(translated.target, "/v1/chat/completions?api-version=2025-04-01");

  const net::RequestHead same = upstream_request(caller, anthropic(), "/v1/messages", Dialect::anthropic);
  for (const char* kept : {"anthropic-beta", "openai-beta", "x-stainless-lang"})
    EXPECT_TRUE(same.headers.contains(kept)) << kept;
  EXPECT_EQ(same.headers.get("content-type"), "application/json; charset=utf-8");
}

TEST(UpstreamRequest, NoCredentialLeavesForAProviderThatHasItsOwnOrNone) {  // FBK-3.4, TEL-4.2
  for (const Provider& configured : {provider(), anthropic()}) {
    Provider open = configured;
    open.auth = config::Auth::none;
    open.headers.clear();
    for (const Provider& to : {configured, open}) {
      for (const Dialect spoken : {Dialect::openai, Dialect::anthropic}) {
        const auto caller = post({{"Authorization", "Bearer mine"},
                                  {"authorization", "mine"},
                                  {"X-API-Key", "mine"},
                                  {"Api-Key", "mine"},
                                  {"cookie", "mine"},
                                  {"x-stainless-api-key", "mine"},
                                  {"X-Stainless-Authorization", "mine"},
                                  {"x-stainless-openai-project", "mine"},
                                  {"proxy-authorization", "mine"}});
        EXPECT_FALSE(says(upstream_request(caller, to, "/y", spoken), "mine")) << to.name << ' ' << name(spoken);
      }
    }
  }
}

TEST(UpstreamRequest, PassthroughSendsTheCallersCredentialAsItIsInOneDialect) {
  const net::Headers sent = {
      {"Authorization", "Basic bWU6"}, {"authorization", "Bearer two"}, {"X-Api-Key", "k"}, {"api-key", "a"}};
  for (const auto& [to, spoken] :
       {std::pair{passing(provider()), Dialect::openai}, std::pair{passing(anthropic()), Dialect::anthropic}}) {
    const net::RequestHead head = upstream_request(post(sent), to, "/y", spoken);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      EXPECT_EQ(head.headers[i].name, sent[i].name);
      EXPECT_EQ(head.headers[i].value, sent[i].value);
    }
    EXPECT_EQ(head.headers.get("x-team"), "a");
  }
}

TEST(UpstreamRequest, PassthroughMovesTheCredentialToTheHeaderOfTheProvidersDialect) {
  const auto to_anthropic = [](net::Headers callers) {
    return upstream_request(post(std::move(callers)), passing(anthropic()), "/v1/messages", Dialect::openai).headers;
  };
  const auto to_openai = [](net::Headers callers) {
    return upstream_request(post(std::move(callers)), passing(provider()), "/y", Dialect::anthropic).headers;
  };
  for (const char* bearer : {"Bearer tok", "bearer tok", "BEARER   tok"})
    EXPECT_EQ(to_anthropic({{"authorization", bearer}}).get("x-api-key"), "tok") << bearer;
  EXPECT_EQ(to_anthropic({{"api-key", "tok"}}).get("x-api-key"), "tok");
  EXPECT_EQ(to_anthropic({{"x-api-key", "other"}, {"authorization", "Bearer tok"}}).get("x-api-key"), "tok");
  EXPECT_FALSE(to_anthropic({{"authorization", "Bearer tok"}}).contains("authorization"));
  EXPECT_FALSE(to_anthropic({{"api-key", "tok"}}).contains("api-key"));
  EXPECT_EQ(to_openai({{"x-api-key", "tok"}}).get("authorization"), "Bearer tok");
  EXPECT_EQ(to_openai({{"authorization", "Bearer tok"}}).get("authorization"), "Bearer tok");
  EXPECT_EQ(to_openai({{"authorization", "Bearer other"}, {"x-api-key", "tok"}}).get("authorization"), "Bearer tok");
  EXPECT_FALSE(to_openai({{"x-api-key", "tok"}}).contains("x-api-key"));
  for (const char* none : {"Basic bWU6", "Bearer ", "Bearer", ""}) {
    EXPECT_FALSE(to_anthropic({{"authorization", none}}).contains("x-api-key")) << none;
    EXPECT_FALSE(to_openai({{"authorization", none}}).contains("authorization")) << none;
  }
  EXPECT_FALSE(to_anthropic({}).contains("x-api-key"));
}

TEST(CallerResponse, SaysWhoServedAndKeepsTheRest) {  // FBK-3.5
  const net::ResponseHead upstream{.status = 429,
                                   .headers = {{"content-type", "application/json"},
                                               {"x-request-id", "theirs"},
                                               {"transfer-encoding", "chunked"},
                                               {"set-cookie", "c=1"},
                                               {"access-control-allow-origin", "*"},
                                               {"x-fuseboard-target", "a forgery"},
                                               {"x-ratelimit-remaining-requests", "0"}}};
  const net::ResponseHead head =
      caller_response(upstream, {.request_id = "req_1", .target = "p/m", .attempts = 3}, llm::Dialect::openai);
  EXPECT_EQ(head.status, 429);
  EXPECT_EQ(head.headers.get("x-request-id"), "req_1");
  EXPECT_EQ(head.headers.get("x-fuseboard-target"), "p/m");
  EXPECT_EQ(head.headers.get("x-fuseboard-attempts"), "3");
  EXPECT_EQ(head.headers.get("x-ratelimit-remaining-requests"), "0");
  EXPECT_FALSE(head.headers.contains("transfer-encoding"));
  EXPECT_FALSE(head.headers.contains("set-cookie"));
  EXPECT_FALSE(head.headers.contains("access-control-allow-origin"));
  EXPECT_FALSE(head.headers.contains("x-fuseboard-demo"));
}

// What stays behind between a caller and a provider of its own dialect that has a credential of its own.
struct Passing {
  std::string_view name;
  bool to_upstream;
  bool to_caller;
};
constexpr Passing kPassings[] = {
    {"Accept-Encoding", false, true},  // replaced by our own
    {"accept", true, true},            // shorter than any name of its letter
    {"Access-Control-Allow-Origin", false, false},
    {"ACCESS-CONTROL-MAX-AGE", false, false},
    {"access-control-", false, true},  // a prefix alone is no name of that kind
    {"anthropic-beta", true, true},
    {"Api-Key", false, true},
    {"api-keys", false, true},
    {"Authorization", false, true},
    {"content-length", false, false},
    {"Content-LENGTH", false, false},
    {"content-type", true, true},
    {"Cookie", false, true},
    {"Date", false, true},
    {"Expect", false, true},
    {"Host", false, true},
    {"hosts", false, true},
    {"openai-version", false, true},
    {"Request-Id", false, false},
    {"Set-Cookie", false, false},
    {"set-cookie2", false, true},
    {"X-Api-Key", false, true},
    {"X-Fuseboard-Target", false, false},
    {"x-fuseboard-", false, true},
    {"x-fuseboar-d", false, true},
    {"X-Request-ID", false, false},
    {"x-stainless-lang", true, true},
    {"zeta", false, true},
    {"_underscored", false, true},
    {"{brace", false, true},
    {"7th", false, true},
    {"\xC1lpha", false, true},
    {"", false, true},
};

TEST(UpstreamRequest, LeavesBehindByNameInAnyCase) {  // FBK-3.4, TEL-4.2
  for (const Passing& passing : kPassings) {
    const auto head = upstream_request(post({{passing.name, "the caller's"}}), provider(), "/y", Dialect::openai);
    EXPECT_EQ(says(head, "the caller's"), passing.to_upstream) << passing.name;
  }
}

TEST(CallerResponse, LeavesBehindByNameInAnyCase) {
  for (const Passing& passing : kPassings) {
    const net::ResponseHead upstream{.status = 200, .headers = {{passing.name, "the upstream's"}}};
    const net::ResponseHead head = caller_response(upstream, {.request_id = "r"}, Dialect::openai);
    EXPECT_EQ(head.headers[0].value == "the upstream's", passing.to_caller) << passing.name;
  }
}

// Names that servers and clients send, the hop-by-hop ones among them: what net's list says holds here both ways.
TEST(HeaderPolicy, WhatConcernsOneConnectionGoesNowhere) {
  for (const std::string_view name : {"Accept-Language",
                                      "Age",
                                      "Allow",
                                      "Cache-Control",
                                      "Close",
                                      "Connection",
                                      "Content-Encoding",
                                      "ETag",
                                      "Forwarded",
                                      "HTTP2-Settings",
                                      "Keep-Alive",
                                      "Link",
                                      "Proxy-Authenticate",
                                      "Proxy-Authorization",
                                      "Proxy-Connection",
                                      "Proxy-Status",
                                      "Retry-After",
                                      "TE",
                                      "Trailer",
                                      "Trailers",
                                      "Transfer-Encoding",
                                      "Upgrade",
                                      "User-Agent",
                                      "Vary",
                                      "Via",
                                      "X-Forwarded-For"}) {
    const bool passes = !net::is_hop_by_hop(name);
    const net::Headers sent = {{name, "close"}};
    Provider to = provider();
    to.forward_headers = {"*"};
    const bool decoded_here = net::equal_ignoring_case(name, "content-encoding");
    EXPECT_EQ(says(upstream_request(post(sent), to, "/y", Dialect::openai), "close"),
              passes && !decoded_here && !net::equal_ignoring_case(name, "http2-settings"))
        << name;
    const net::ResponseHead head = caller_response({.headers = sent}, {.request_id = "r"}, Dialect::openai);
    EXPECT_EQ(head.headers[0].value == "close", passes) << name;
  }
}

TEST(HeaderPolicy, WhatConnectionNamesGoesNowhereWhereverItStands) {
  const net::Headers sent = {{"X-First", "1"},
                             {"Connection", "Keep-Alive"},
                             {"x-between", "1"},
                             {"close", "1"},
                             {"CONNECTION", "x-first, X-Last;q=1"},
                             {"x-between", "2"},
                             {"x-last", "1"},
                             {"x-lasting", "1"},
                             {"connection", "x-other"},
                             {"x-other", "1"}};
  Provider to = provider();
  to.forward_headers = {"*"};
  const net::RequestHead request = upstream_request(post(sent), to, "/y", Dialect::openai);
  const net::ResponseHead answer = caller_response({.headers = sent}, {.request_id = "r"}, Dialect::openai);
  for (const net::Headers* headers : {&request.headers, &answer.headers}) {
    EXPECT_FALSE(headers->contains("x-first"));
    EXPECT_FALSE(headers->contains("x-last"));
    EXPECT_FALSE(headers->contains("x-other"));
    EXPECT_FALSE(headers->contains("connection"));
    ASSERT_GE(headers->size(), 4U);
    EXPECT_EQ((*headers)[0].value, "1");
    EXPECT_EQ((*headers)[1].name, "close") << "an option of Connection is no header's name";
    EXPECT_EQ((*headers)[2].value, "2");
    EXPECT_EQ((*headers)[3].name, "x-lasting");
  }
}

TEST(HeaderPolicy, ConnectionsOwnOptionsNameNoHeaders) {
  for (const char* option : {"keep-alive", "Keep-Alive", "close", "CLOSE", ""}) {
    const net::Headers sent = {{"connection", option}, {"close", "1"}, {"x-team", "b"}};
    Provider to = provider();
    to.forward_headers = {"close"};
    EXPECT_TRUE(upstream_request(post(sent), to, "/y", Dialect::openai).headers.contains("close")) << option;
    const net::ResponseHead answer = caller_response({.headers = sent}, {.request_id = "r"}, Dialect::openai);
    EXPECT_TRUE(answer.headers.contains("close")) << option;
  }
}

TEST(CallerResponse, OfAnotherDialectLeavesItsOwnHeadersBehind) {
  const net::Headers sent = {{"Anthropic-Organization-Id", "o"},
                             {"OpenAI-Version", "1"},
                             {"x-stainless-a", "1"},
                             {"anthropic-", "1"},
                             {"x-api-key", "1"}};
  const net::ResponseHead head = caller_response({.headers = sent}, {.request_id = "r"}, Dialect::anthropic);
  EXPECT_EQ(head.headers[0].name, "anthropic-");
  EXPECT_EQ(head.headers[1].name, "x-api-key") << "a credential is the caller's affair, not the answer's";
  EXPECT_EQ(head.headers[2].name, "x-request-id");
}

}  // namespace
}  // namespace fuseboard::gateway
