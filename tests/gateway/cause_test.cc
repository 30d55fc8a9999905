// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/cause.h"

#include <gtest/gtest.h>

#include "gateway/cause_of_answer.h"

namespace fuseboard::gateway {
namespace {

using std::chrono::seconds;
using Kind = net::TransportError::Kind;

const net::Origin kOrigin = {.tls = true, .host = "api.example.com", .port = 443};

std::string broken(Kind kind, std::string message = {}) {
  return cause_of(net::TransportError{.kind = kind, .message = std::move(message)}, kOrigin);
}

TEST(Cause, WhatBrokeAConnectionNamesTheServer) {
  EXPECT_EQ(broken(Kind::reset, "Connection reset by peer"),
            "the connection to https://api.example.com broke: Connection reset by peer");
  EXPECT_EQ(broken(Kind::closed_early), "https://api.example.com closed the connection before it answered");
  EXPECT_EQ(broken(Kind::truncated), "https://api.example.com closed the connection in the middle of its answer");
  EXPECT_EQ(broken(Kind::malformed), "what https://api.example.com answers is not HTTP/1.1");
  EXPECT_EQ(broken(Kind::tls_certificate, "the certificate of api.example.com has expired"),
            "the certificate of api.example.com has expired");
  EXPECT_EQ(broken(Kind::cancelled, "cancelled"), "");
}

TEST(Cause, ASilenceSaysItsKindAndItsLength) {
  EXPECT_EQ(cause_of_waiting(TransportFault::head_timeout, seconds(30)), "no answer within 30s");
  EXPECT_EQ(cause_of_waiting(TransportFault::first_content_timeout, seconds(60)), "no content within 1m");
  EXPECT_EQ(cause_of_waiting(TransportFault::idle_timeout, seconds(30)), "silent for 30s in the middle of its answer");
  EXPECT_EQ(cause_of_waiting(TransportFault::head_timeout, seconds(30) - std::chrono::microseconds(20)),
            "no answer within 30s");
  EXPECT_EQ(cause_of_waiting(TransportFault::total_timeout, seconds(600)), "its answer was not complete within 10m");
}

std::string redirect(std::string_view location) {
  return cause_of_answer({.status = 301, .headers = {{"location", location}}}, {});
}

TEST(Cause, ARedirectNamesTheOriginItLeadsToAndNoMore) {  // TEL-4.5
  const std::string_view kThere = "answered 301, a redirect to https://new.example.com, which is not followed";
  for (const std::string_view location :
       {"https://new.example.com/v1/chat?key=secret", "https://user:secret@new.example.com/secret",
        "https://new.example.com#secret", "https://new.example.com?secret", "https://new.example.com:443\\\\secret"}) {
    const std::string cause = redirect(location);
    EXPECT_TRUE(cause.starts_with(kThere)) << cause;
    EXPECT_EQ(cause.find("secret"), std::string::npos) << cause;
  }
  for (const std::string_view location : {"", "/secret", "//secret.example", "javascript:secret", "ftp://secret/x"}) {
    EXPECT_TRUE(redirect(location).starts_with("answered 301, a redirect to another path")) << redirect(location);
  }
  EXPECT_EQ(cause_of_answer({.status = 304}, {}), "answered 304") << "this one leads nowhere";
}

TEST(Cause, AnAnswersStatusComesWithItsWords) {
  EXPECT_EQ(cause_of_answer({.status = 503}, {.message = "The engine is overloaded."}),
            "answered 503: The engine is overloaded");
  EXPECT_EQ(cause_of_answer({.status = 401}, {.code = "invalid_api_key"}), "answered 401: invalid_api_key");
  EXPECT_EQ(cause_of_answer({.status = 502}, {}), "answered 502");
  EXPECT_EQ(cause_of_content({.message = "overloaded"}), "answered with an error: overloaded");
  EXPECT_EQ(cause_of_content({}), "its response is not valid for its API dialect");
}

TEST(Cause, WhatIsQuotedIsLeftOut) {  // TEL-4.4
  EXPECT_EQ(careful_words(R"(the prompt "my diary" is too long)"), "the prompt … is too long");
  EXPECT_EQ(careful_words("no model `x` and no 'y' here"), "no model … and no … here");
  EXPECT_EQ(careful_words("“their words” and ‘these’"), "… and …");
  EXPECT_EQ(careful_words("it can't, and the caller's fault isn't ours"),
            "it can't, and the caller's fault isn't ours");
  EXPECT_EQ(careful_words("it said 'don't do that' twice"), "it said … twice");
  EXPECT_EQ(careful_words("never closed: \"my diary"), "never closed: …");
}

TEST(Cause, WhatMayBeACredentialIsLeftOut) {  // TEL-4.4
  EXPECT_EQ(careful_words("Incorrect API key provided: sk-ab***yz. Find it there"),
            "Incorrect API key provided: … Find it there");
  EXPECT_EQ(careful_words("token 0123456789abcdef0123 refused"), "token … refused");
  EXPECT_EQ(careful_words("an uncharacteristically-long-word stays"), "an uncharacteristically-long-word stays");
}

TEST(Cause, WordsAreOneLineOfAtMost200Characters) {  // TEL-4.4
  EXPECT_EQ(careful_words("one\r\ntwo\x1b[31m\xC2\x9B"), "one  two\\x1b[31m\\u{009b}");
  const std::string exactly = [] {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "ü";
    return text;
  }();
  EXPECT_EQ(careful_words(exactly), exactly);
  const std::string cut = careful_words(exactly + "ü");
  EXPECT_EQ(cut, exactly.substr(0, exactly.size() - 2) + "…");
}

TEST(Cause, TheUpstreamsRequestIdIsFoundUnderTheNamesThatProvidersUse) {
  const auto id_of = [](const net::Headers& headers) { return upstream_request_id(headers, Redactor()); };
  EXPECT_EQ(id_of({{"x-request-id", "req_a"}, {"cf-ray", "ray"}}), "req_a");
  EXPECT_EQ(id_of({{"Request-Id", "req_b"}}), "req_b");
  EXPECT_EQ(id_of({{"x-amzn-RequestId", "amzn"}}), "amzn");
  EXPECT_EQ(id_of({{"apim-request-id", "azure"}}), "azure");
  EXPECT_EQ(id_of({{"cf-ray", "ray"}}), "ray");
  EXPECT_TRUE(id_of({{"content-type", "text/html"}}).empty());
  EXPECT_EQ(id_of({{"x-request-id", "a b\xC3\xBC"}}), "a?b??");
  EXPECT_EQ(id_of({{"x-request-id", std::string(64, 'a')}}).view().size(), 63U) << "bounded";
  const Redactor secrets({"sk-" + std::string(80, 'k')});
  EXPECT_EQ(upstream_request_id({{"x-request-id", "id-sk-" + std::string(80, 'k')}}, secrets), "id-***")
      << "a provider may repeat the credential there, too";
}

}  // namespace
}  // namespace fuseboard::gateway
