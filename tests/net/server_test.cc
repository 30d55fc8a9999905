// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server does for well-behaved callers.
#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

Task<void> echo(ServerExchange& exchange) {
  const std::string seen = exchange.head().method + " " + exchange.head().target;
  const auto body = co_await exchange.read_body();
  co_await exchange.respond({.headers = {{"x-seen", seen}}}, std::string(body ? body->view() : "no body"));
}

constexpr std::string_view kGet = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Service service(echo);
  RawSocket socket = RawSocket::connect(service.port);
  for (int i = 0; i < 3; ++i) {
    socket.send(kGet);
    EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 200 OK\r\nx-seen: GET /a?b\r\ncontent-length: 0\r\n\r\n");
  }
  EXPECT_EQ(service.server->counters().requests, 3U);
  EXPECT_EQ(service.server->counters().open_connections, 1U);
}

TEST(HttpServer, HandlesPipelinedRequestsInOrder) {
  Service service(echo);
  RawSocket socket = RawSocket::connect(service.port);
  std::string requests;
  for (int i = 0; i < 50; ++i)
    requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
  socket.send(requests);
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(socket.read_until("\r\n\r\n").contains("POST /" + std::to_string(i) + "\r\n"));
    EXPECT_EQ(socket.read_bytes(2), "hi");
  }
}

TEST(HttpServer, TakesRequestsInPiecesOfAnySize) {
  Service service(echo);
  RawSocket socket = RawSocket::connect(service.port);
  const std::string_view request =
      "\r\nPOST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nT: "
      "v\r\n\r\n";
  for (const char c : request) socket.send({&c, 1});
  socket.read_until("\r\n\r\n");
  EXPECT_EQ(socket.read_bytes(5), "abcde");
  // The trailer did not leak into the next request.
  socket.send(kGet);
  EXPECT_TRUE(socket.read_until("\r\n\r\n").contains("GET /a?b"));
}

TEST(HttpServer, ReadsALargeBody) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    const auto body = co_await exchange.read_body();
    co_await exchange.respond({}, body ? std::to_string(std::hash<std::string_view>()(*body)) : "none");
  });
  std::string body(20U << 20U, 'x');
  for (std::size_t i = 0; i < body.size(); i += 37) body[i] = static_cast<char>(i);
  Caller caller;
  const auto answer = fetch(caller, service.origin(), {.method = "POST"}, body);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->body, std::to_string(std::hash<std::string_view>()(body)));
}

TEST(HttpServer, InvitesABodyThatWaitsToBeAskedFor) {
  Service service(echo);
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_TRUE(socket.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(socket.read_bytes(2), "ok");
}

TEST(HttpServer, RefusesABodyThatWaitsToBeAskedForWithoutReadingIt) {
  Service service([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({.status = 401}, "no"); });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = socket.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
  EXPECT_TRUE(answer.contains("connection: close")) << answer;
}

TEST(HttpServer, ClosesWhenTheCallerAsksForIt) {
  Service service(echo);
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(socket.read_to_end().contains("connection: close\r\n"));
}

TEST(HttpServer, SpeaksToOldCallers) {
  Service service(echo);
  RawSocket once = RawSocket::connect(service.port);
  once.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(once.read_to_end().contains("connection: close\r\n"));
  RawSocket keeps = RawSocket::connect(service.port);
  keeps.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(keeps.read_until("\r\n\r\n").contains("connection: keep-alive\r\n"));
  keeps.send(kGet);
  EXPECT_TRUE(keeps.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST(HttpServer, SendsNoBodyWhereNoneBelongs) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    const bool empty = exchange.head().target == "/204";
    co_await exchange.respond({.status = empty ? 204 : 200}, "body");
  });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(
      "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /204 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\nbody"), "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody");
}

TEST(HttpServer, AHandlerThatDoesNotAnswerIsAnsweredFor) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    if (exchange.head().target == "/throw") throw std::runtime_error("secret");
    co_return;
  });
  for (const char* target : {"/", "/throw"}) {
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = socket.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 500")) << answer;
    EXPECT_FALSE(answer.contains("secret"));
  }
  EXPECT_EQ(service.server->counters().handler_exceptions, 1U);
}

TEST(HttpServer, SpreadsConnectionsOverItsLoops) {
  std::array<std::atomic<int>, 2> seen{};
  Service service(
      [&seen](ServerExchange& exchange) -> Task<void> {
        ++seen[exchange.loop().index()];
        co_await exchange.respond({}, std::string(exchange.peer_address()));
      },
      {}, 2);
  for (int i = 0; i < 4; ++i) {
    RawSocket socket = RawSocket::connect(service.port);
    socket.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(socket.read_to_end().ends_with("\r\n\r\n127.0.0.1"));
  }
  EXPECT_EQ(seen[0], 2);
  EXPECT_EQ(seen[1], 2);
}

TEST(HttpServer, SaysThatAnAddressIsInUse) {
  Service service(echo);
  LoopGroup loops(1);
  HttpServer second(loops, {}, echo);
  const auto bound = second.listen("127.0.0.1", service.port);
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error(), "127.0.0.1:" + std::to_string(service.port) + ": address already in use");
  EXPECT_EQ(second.listen("example.com", 0).error(), "example.com:0: not an IP address");
  loops.stop();
}

TEST(HttpServer, RefusesOptionsOutOfRange) {  // CORE-6
  LoopGroup loops(1);
  EXPECT_THROW(HttpServer(loops, {.max_head = 1, .max_connections = 0}, echo), InvalidOptions);
}

}  // namespace
}  // namespace fuseboard::net
