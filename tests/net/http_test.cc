// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/http.h"

#include <gtest/gtest.h>

#include "net/wire.h"

namespace fuseboard::net {
namespace {

std::string joined(const Headers& headers) {
  std::string text;
  for (const Header header : headers) text.append(header.name).append("=").append(header.value).append(";");
  return text;
}

TEST(Headers, KeepOrderAndFindWithoutCase) {
  Headers headers{{"Content-Type", "application/json"}, {"X-A", "1"}};
  headers.add("x-a", "2");
  EXPECT_EQ(joined(headers), "Content-Type=application/json;X-A=1;x-a=2;");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "application/json");
  EXPECT_EQ(headers.get("x-A"), "1");
  EXPECT_EQ(headers.find("missing"), std::nullopt);
  EXPECT_EQ(headers.size(), 3U);
}

TEST(Headers, SetTakesThePlaceOfAllOfThatName) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"A", "3"}, {"c", "4"}};
  headers.set("A", "5");
  EXPECT_EQ(joined(headers), "A=5;b=2;c=4;");
  headers.set("d", "6");
  EXPECT_EQ(joined(headers), "A=5;b=2;c=4;d=6;");
}

TEST(Headers, ValuesMayComeFromTheSameHeaders) {
  Headers headers{{"a", "a value that is longer than any small buffer, so that appending moves the text"}};
  for (int i = 0; i < 20; ++i) headers.add("copy", headers.get("a"));
  headers.set("copy", headers.get("a"));
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("copy"), headers.get("a"));
}

TEST(Headers, BothNameAndValueMayComeFromTheSameHeaders) {
  Headers headers{{"name", "value"}};
  for (int i = 0; i < 40; ++i) {  // with and without room for one more
    const Header last = headers[headers.size() - 1];
    headers.add(last.name, last.value);
  }
  ASSERT_EQ(headers.size(), 41U);
  for (const Header header : headers)
    EXPECT_EQ(std::string(header.name) + "=" + std::string(header.value), "name=value");
}

TEST(Headers, EraseCounts) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"A", "3"}};
  EXPECT_EQ(headers.erase("a"), 2U);
  EXPECT_EQ(headers.erase("a"), 0U);
  EXPECT_EQ(joined(headers), "b=2;");
}

TEST(Headers, EraseIfAsksOnceForEachAndKeepsTheOrder) {
  Headers headers{{"a", "1"}, {"b", "2"}, {"A", "3"}, {"c", "4"}, {"b", "5"}};
  std::string asked;
  const auto doomed = [&](const Header& header) {
    asked += header.value;
    return header.value == "1" || header.name == "b";
  };
  EXPECT_EQ(headers.erase_if(doomed), 3U);
  EXPECT_EQ(asked, "12345");
  EXPECT_EQ(joined(headers), "A=3;c=4;");
  EXPECT_EQ(headers.erase_if([](const Header&) { return false; }), 0U);
}

TEST(Headers, TokensAreFoundInLists) {
  const Headers headers{{"connection", "Keep-Alive , close"}, {"accept", "text/html;q=0.5, text/event-stream; x=1"}};
  EXPECT_TRUE(headers.has_token("Connection", "close"));
  EXPECT_TRUE(headers.has_token("connection", "keep-alive"));
  EXPECT_FALSE(headers.has_token("connection", "clos"));
  EXPECT_TRUE(headers.has_token("accept", "text/event-stream"));
}

TEST(Headers, HopByHopHeadersAndThoseThatConnectionNamesGo) {
  Headers headers{{"Connection", "x-private, close"},
                  {"X-Private", "1"},
                  {"TE", "trailers"},
                  {"keep-alive", "5"},
                  {"accept", "*/*"},
                  {"Transfer-Encoding", "chunked"},
                  {"upgrade", "h2c"}};
  erase_hop_by_hop(headers);
  EXPECT_EQ(joined(headers), "accept=*/*;");
}

TEST(Wire, NothingInAValueCanEndAHeader) {
  std::string out;
  append_response_head(
      out, {.status = 200, .headers = {{"x", "a\r\nset-cookie: b\0c"}, {"bad name", "1"}, {"", "2"}, {"y:", "3"}}},
      {.kind = Framing::length, .size = 3});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nx: a  set-cookie: b\r\ncontent-length: 3\r\n\r\n");
}

TEST(Wire, OnlyWhatIsAControlCharacterBecomesASpace) {
  const std::string plain = "a tab\t, \xC3\xA9, ~ and more text than is looked at at once";
  for (std::size_t at = 0; at < plain.size(); ++at) {
    for (const char control : {'\0', '\n', '\r', '\x1F', '\x7F'}) {
      std::string value = plain;
      value[at] = control;
      std::string expected = plain;
      expected[at] = ' ';
      std::string out;
      append_response_head(out, {.status = 200, .headers = {{"a", plain}, {"b", value}, {"c", plain}}}, {});
      ASSERT_EQ(out, "HTTP/1.1 200 OK\r\na: " + plain + "\r\nb: " + expected + "\r\nc: " + plain + "\r\n\r\n")
          << at << " " << static_cast<int>(control);
    }
  }
}

TEST(Wire, TheHostHeaderIsTheOriginsUnlessOneIsGiven) {
  const auto host = [](const Origin& origin) {
    std::string out;
    append_request_head(out, {}, origin, {});
    return out;
  };
  EXPECT_EQ(host({.host = "example.com", .port = 80}), "GET / HTTP/1.1\r\nhost: example.com\r\n\r\n");
  EXPECT_EQ(host({.tls = true, .host = "example.com", .port = 443}), "GET / HTTP/1.1\r\nhost: example.com\r\n\r\n");
  EXPECT_EQ(host({.tls = true, .host = "::1", .port = 80}), "GET / HTTP/1.1\r\nhost: [::1]:80\r\n\r\n");
  EXPECT_EQ(host({.host = "a", .port = 65535}), "GET / HTTP/1.1\r\nhost: a:65535\r\n\r\n");
  std::string out;
  append_request_head(out, {.headers = {{"Host", "b"}}}, {.host = "a"}, {});
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: b\r\n\r\n");
}

TEST(Wire, FramingIsTheWritersOwn) {
  std::string out;
  append_request_head(
      out,
      {.method = "POST", .target = "/a b\r\nc", .headers = {{"Content-Length", "999"}, {"Transfer-Encoding", "x"}}},
      {.host = "::1", .port = 8080}, {.kind = Framing::length, .size = 5});
  EXPECT_EQ(out, "POST /a_b__c HTTP/1.1\r\nhost: [::1]:8080\r\ncontent-length: 5\r\n\r\n");
}

TEST(Target, SplitsPathAndQuery) {
  EXPECT_EQ(split_target("/v1/chat?x=1&y=2").path, "/v1/chat");
  EXPECT_EQ(split_target("/v1/chat?x=1&y=2").query, "x=1&y=2");
  EXPECT_EQ(split_target("/v1").query, "");
  EXPECT_EQ(split_target("http://host:1/p?q").path, "/p");
  EXPECT_EQ(split_target("http://host:1/p?q").query, "q");
  EXPECT_EQ(split_target("http://host").path, "/");
  EXPECT_EQ(split_target("/redirect?to=http://host/p").path, "/redirect");
  EXPECT_EQ(split_target("").path, "/");
}

TEST(Percent, DecodesAndEncodes) {
  EXPECT_EQ(percent_decode("a%2Fb%20c+d"), "a/b c+d");
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
  EXPECT_EQ(percent_encode("openai/gpt 4~\xff"), "openai%2Fgpt%204~%FF");
  EXPECT_EQ(percent_decode(percent_encode("100%/x")), "100%/x");
}

TEST(Query, FindsDecodedValues) {
  EXPECT_EQ(query_value("a=1&b=x+y%21&c", "b"), "x y!");
  EXPECT_EQ(query_value("a=1&c", "c"), "");
  EXPECT_EQ(query_value("a=1", "b"), std::nullopt);
  EXPECT_EQ(query_value("k%20x=v", "k x"), "v");
}

TEST(Origin, IsSchemeHostAndPort) {
  const auto full = parse_origin("HTTPS://Api.Example.com:8443");
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(*full, (Origin{.tls = true, .host = "api.example.com", .port = 8443}));
  EXPECT_EQ(to_text(*full), "https://api.example.com:8443");
  const auto plain = parse_origin("http://127.0.0.1");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(*plain, (Origin{.host = "127.0.0.1", .port = 80}));
  const auto six = parse_origin("http://[::1]:81");
  ASSERT_TRUE(six.has_value());
  EXPECT_EQ(to_text(*six), "http://[::1]:81");
  EXPECT_EQ(parse_origin("https://x")->port, 443);
}

TEST(Origin, RefusesWhatItDoesNotUnderstandWithoutRepeatingIt) {
  for (const char* url : {"", "example.com", "ftp://x", "http://", "http://user:secret@host", "http://host:0",
                          "http://host:65536", "http://host:", "http://host:1x", "http://a b", "http://[::1",
                          "http://[x]", "http://[::1]x", "http://host/?q=secret", "http://host?q=secret",
                          "http://host/#f", "http://host/a b", "http://host/\n", "http://host/"}) {
    const auto parsed = parse_origin(url);
    ASSERT_FALSE(parsed.has_value()) << url;
    EXPECT_FALSE(parsed.error().contains("secret")) << url;
  }
}

}  // namespace
}  // namespace fuseboard::net
