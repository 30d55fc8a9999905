// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/heads.h"

#include <gtest/gtest.h>

namespace fuseboard::gateway {
namespace {

Provider provider() {
  return {.name = "p",
          .origin = {.tls = false, .host = "127.0.0.1", .port = 80},
          .path_prefix = "/v1",
          .query = "?api-version=2025-04-01",
          .headers = {{"authorization", "Bearer theirs"}, {"x-team", "a"}},
          .ca_file = {}};
}

TEST(UpstreamRequest, CarriesTheProvidersCredentialAndNeverTheCallers) {  // FBK-3, TEL-4
  const net::RequestHead caller{
      .method = "POST",
      .target = "/v1/chat/completions",
      .headers = {{"Authorization", "Bearer mine"}, {"X-Api-Key", "mine"}, {"Cookie", "mine"}}};
  const net::RequestHead head = upstream_request(caller, provider(), "/chat/completions");
  EXPECT_EQ(head.target, "/v1/chat/completions?api-version=2025-04-01");
  EXPECT_EQ(head.headers.get("authorization"), "Bearer theirs");
  for (const net::Header header : head.headers)
    EXPECT_EQ(header.value.find("mine"), std::string_view::npos) << header.name;
}

TEST(UpstreamRequest, KeepsUnknownHeadersAndDropsWhatIsForOneConnectionOrForUs) {
  const net::RequestHead caller{.method = "POST",
                                .target = "/",
                                .headers = {{"host", "gateway"},
                                            {"connection", "keep-alive, x-hop"},
                                            {"x-hop", "1"},
                                            {"accept-encoding", "gzip"},
                                            {"x-fuseboard-deadline-ms", "5"},
                                            {"expect", "100-continue"},
                                            {"anthropic-beta", "tools"},
                                            {"openai-organization", "o"},
                                            {"x-team", "caller's"}}};
  const net::RequestHead head = upstream_request(caller, provider(), "/x");
  for (const char* dropped : {"host", "connection", "x-hop", "x-fuseboard-deadline-ms", "expect"}) {
    EXPECT_FALSE(head.headers.contains(dropped)) << dropped;
  }
  EXPECT_EQ(head.headers.get("accept-encoding"), "identity") << "a coded answer could not be judged";
  EXPECT_EQ(head.headers.get("anthropic-beta"), "tools");
  EXPECT_EQ(head.headers.get("openai-organization"), "o");
  EXPECT_EQ(head.headers.get("x-team"), "a") << "what the configuration sets wins";
}

TEST(CallerResponse, SaysWhoServedAndKeepsTheRest) {  // FBK-3
  const net::ResponseHead upstream{.status = 429,
                                   .headers = {{"content-type", "application/json"},
                                               {"x-request-id", "theirs"},
                                               {"transfer-encoding", "chunked"},
                                               {"set-cookie", "c=1"},
                                               {"access-control-allow-origin", "*"},
                                               {"x-fuseboard-target", "a forgery"},
                                               {"x-ratelimit-remaining-requests", "0"}}};
  const net::ResponseHead head = caller_response(upstream, {.request_id = "req_1", .target = "p/m", .attempts = 3});
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

}  // namespace
}  // namespace fuseboard::gateway
