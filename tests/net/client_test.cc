// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a client does with well-behaved servers.
#include <array>

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

Task<void> echo(ServerExchange& exchange) {
  const std::string seen = exchange.head().method + " " + exchange.head().target;
  const auto body = co_await exchange.read_body();
  co_await exchange.respond({.headers = {{"x-seen", seen}}}, std::string(body ? body->view() : "no body"));
}

TEST(HttpClient, SendsARequestAndReadsTheResponse) {
  Service service(echo);
  Caller caller;
  const auto answer = fetch(caller, service.origin(), {.method = "POST", .target = "/v1?x"}, "hello");
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(answer->head.status, 200);
  EXPECT_EQ(answer->head.headers.get("X-Seen"), "POST /v1?x");
  EXPECT_EQ(answer->body, "hello");
}

TEST(HttpClient, KeepsConnectionsAndUsesThemAgain) {
  Service service(echo);
  Caller caller;
  EXPECT_FALSE(fetch(caller, service.origin())->reused);
  EXPECT_EQ(caller.idle(), 1U);
  EXPECT_TRUE(fetch(caller, service.origin())->reused);
  EXPECT_TRUE(fetch(caller, service.origin(), {.method = "HEAD"})->reused);
  EXPECT_TRUE(fetch(caller, service.origin())->reused);
  EXPECT_EQ(service.server->counters().open_connections, 1U);
}

TEST(HttpClient, WritesTheRequestAsAServerExpectsIt) {
  RawServer server;
  Caller caller;
  auto answer = std::async(std::launch::async, [&] {
    return fetch(
        caller, server.origin(),
        {.method = "POST", .target = "/p", .headers = {{"Connection", "close"}, {"content-length", "9"}, {"X", "y"}}},
        "ab");
  });
  RawSocket socket = server.accept();
  EXPECT_EQ(socket.read_until("ab"), "POST /p HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(server.port()) +
                                         "\r\nX: y\r\ncontent-length: 2\r\n\r\nab");
  socket.send("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 Fine\r\ncontent-length: 2\r\n\r\nok");
  const auto got = answer.get();
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->body, "ok");
  EXPECT_FALSE(got->head.headers.contains("link"));
}

TEST(HttpClient, ReadsAChunkedResponseAsItComes) {
  RawServer server;
  Caller caller;
  std::vector<std::string> pieces;
  std::promise<void> first, rest;
  auto done = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<bool> {
      ClientExchange exchange = client.exchange(server.origin());
      const auto head = co_await exchange.send({}, {}, {.connect_by = caller.soon(), .head_by = caller.soon()});
      EXPECT_TRUE(head.has_value());
      while (true) {
        const auto piece = co_await exchange.read_some(caller.soon());
        if (!piece) co_return false;
        if (piece->empty()) co_return true;
        pieces.emplace_back(*piece);
        if (pieces.size() == 1) first.set_value();
      }
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  wait_for(first.get_future());
  socket.send("2;x=y\r\nde\r\n1\r\nf\r\n0\r\ntrailer: t\r\n\r\n");
  EXPECT_TRUE(done.get());
  ASSERT_GE(pieces.size(), 2U);
  EXPECT_EQ(pieces[0], "abc");
  EXPECT_EQ(pieces[1], "def");  // one read, one piece
  EXPECT_EQ(caller.idle(), 1U);
}

TEST(HttpClient, ReadsABodyThatEndsWithTheConnection) {
  RawServer server;
  Caller caller;
  auto answer = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\n\r\nall of it");
  socket.close();
  EXPECT_EQ(answer.get()->body, "all of it");
  EXPECT_EQ(caller.idle(), 0U);
}

TEST(HttpClient, StreamsALargeBodyBothWays) {
  Service service(echo);
  Caller caller;
  std::string body(20U << 20U, 'x');
  for (std::size_t i = 0; i < body.size(); i += 41) body[i] = static_cast<char>(i);
  const auto answer = fetch(caller, service.origin(), {.method = "POST"}, body);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_TRUE(answer->body == body);
}

// Two of them, so that neither may take what waits of the other for its own.
TEST(HttpClient, AHeadThatDoesNotLeaveAtOnceArrivesWhole) {
  std::array<RawServer, 2> servers;
  Caller caller;
  std::array<std::future<bool>, 2> done;
  const auto value = [](std::size_t i) {
    return std::string(12U << 20U,
                       static_cast<char>('a' + i));  // more than the system holds for one that does not read
  };
  for (std::size_t i = 0; i < 2; ++i) {
    done[i] = std::async(std::launch::async, [&, i] {
      return caller.run([&, i](HttpClient& client) -> Task<bool> {
        ClientExchange exchange = client.exchange(servers[i].origin());
        const RequestHead head{.method = "POST", .target = "/", .headers = {{"x-long", value(i)}}};
        const auto got = co_await exchange.send(head, "body", {.connect_by = caller.soon(), .head_by = caller.soon()});
        co_return got.has_value() && (co_await exchange.read_all(10, caller.soon())).has_value();
      });
    });
  }
  std::array<RawSocket, 2> sockets = {servers[0].accept(), servers[1].accept()};
  for (RawSocket& socket : sockets) EXPECT_EQ(socket.read_bytes(6), "POST /");  // both have begun to send
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string received = sockets[i].read_until("\r\n\r\n");
    EXPECT_EQ(sockets[i].read_bytes(4), "body");
    sockets[i].send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    EXPECT_TRUE(done[i].get());
    EXPECT_TRUE(received == " HTTP/1.1\r\nhost: 127.0.0.1:" + std::to_string(servers[i].port()) +
                                "\r\nx-long: " + value(i) + "\r\ncontent-length: 4\r\n\r\n")
        << i;
  }
}

// Short messages are sent in another way than long ones.
TEST(HttpClient, BodiesOfEveryLengthArriveWhole) {
  Service service(echo);
  Caller caller;
  for (std::size_t size = 3'500; size < 4'300; size += 13) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) body[i] = static_cast<char>('a' + i % 26);
    const auto answer = fetch(caller, service.origin(), {.method = "POST"}, body);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    ASSERT_EQ(answer->body, body);
  }
}

TEST(HttpClient, DoesNotUseAConnectionThatTheServerHasClosed) {
  RawServer server;
  Caller caller;
  auto first = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  {
    RawSocket socket = server.accept();
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    ASSERT_TRUE(first.get().has_value());
    EXPECT_EQ(caller.idle(), 1U);
  }
  // Closed just now: whether or not the loop has looked, the next request goes elsewhere.
  auto second = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  const auto answer = second.get();
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_FALSE(answer->reused);
}

// The server closes while the loop is busy, so the pool has not heard of it when the next request comes.
TEST(HttpClient, OnlyWhoChecksSeesThatAConnectionHasJustBeenClosed) {
  for (const Reuse reuse : {Reuse::checked, Reuse::trusted, Reuse::never}) {
    RawServer server;
    Caller caller;
    std::promise<void> answered, closed;
    auto served = std::async(std::launch::async, [&] {
      {
        RawSocket socket = server.accept();
        socket.read_until("\r\n\r\n");
        socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        wait_for(answered.get_future());
      }
      closed.set_value();
      if (reuse == Reuse::trusted) return;
      RawSocket socket = server.accept();
      socket.read_until("\r\n\r\n");
      socket.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    caller.run([&](HttpClient& client) -> Task<bool> {
      const auto first = co_await fetch(client, server.origin());
      EXPECT_TRUE(first.has_value());
      EXPECT_EQ(client.idle_connections(), 1U);
      answered.set_value();
      wait_for(closed.get_future());
      ClientExchange exchange = client.exchange(server.origin(), reuse);
      const RequestHead head;
      const auto second = co_await exchange.send(head, {}, {.connect_by = caller.soon(), .head_by = caller.soon()});
      EXPECT_EQ(exchange.reused_connection(), reuse == Reuse::trusted);
      if (second) {
        EXPECT_NE(reuse, Reuse::trusted);
        EXPECT_EQ(second->status, 204);
      } else {
        EXPECT_EQ(reuse, Reuse::trusted) << second.error().message;
        EXPECT_TRUE(second.error().kind == TransportError::closed_early ||
                    second.error().kind == TransportError::reset);
      }
      co_return true;
    });
    served.get();
  }
}

TEST(HttpClient, DropsAnIdleConnectionOnWhichTheServerSpeaksUnasked) {
  RawServer server;
  Caller caller;
  auto first = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  ASSERT_TRUE(first.get().has_value());
  socket.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  EXPECT_TRUE(socket.at_end());
  EXPECT_EQ(caller.idle(), 0U);
}

TEST(HttpClient, ClosesIdleConnectionsAfterTheirTime) {
  RawServer server;
  Caller caller({.idle_timeout = 50ms});
  auto first = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  ASSERT_TRUE(first.get().has_value());
  EXPECT_TRUE(socket.at_end());
}

TEST(HttpClient, KeepsNoMoreIdleConnectionsThanItMay) {  // CORE-5
  Service service(echo);
  Caller caller({.max_idle_per_origin = 2, .max_idle = 3});
  const auto together = [&](int n, Origin origin) {
    return caller.run([&, n, origin](HttpClient& client) -> Task<bool> {
      // All connections are open before the first is given back.
      std::vector<ClientExchange> exchanges;
      bool good = true;
      for (int i = 0; i < n; ++i) {
        exchanges.push_back(client.exchange(origin));
        const RequestHead head;
        good = good && (co_await exchanges.back().send(head, {}, {})).has_value();
      }
      for (ClientExchange& exchange : exchanges) good = good && (co_await exchange.read_all(100, kNever)).has_value();
      co_return good;
    });
  };
  EXPECT_TRUE(together(5, service.origin()));
  EXPECT_EQ(caller.idle(), 2U);
  Service other(echo);
  EXPECT_TRUE(together(5, other.origin()));
  EXPECT_EQ(caller.idle(), 3U);
}

TEST(HttpClient, ReadsNothingBetweenCalls) {  // STR-8
  std::atomic<std::size_t> written = 0;
  Service service([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    const std::string block(1U << 20U, 'x');
    for (int i = 0; i < 64 && co_await exchange.write(block); ++i) written += block.size();
    co_await exchange.finish();
  });
  Caller caller;
  const std::size_t total = caller.run([&](HttpClient& client) -> Task<std::size_t> {
    ClientExchange exchange = client.exchange(service.origin());
    EXPECT_TRUE((co_await exchange.send({}, {}, {})).has_value());
    std::size_t read = (co_await exchange.read_some(kNever))->size();
    // The producer comes to rest although the whole is not written.
    std::size_t before = written + 1;
    while (before != written) {
      before = written;
      co_await client.loop().sleep_until(saturating_add(client.loop().now(), 50ms));
    }
    EXPECT_LT(written, 32U << 20U);
    while (true) {
      const auto piece = co_await exchange.read_some(caller.soon());
      if (!piece || piece->empty()) co_return read;
      read += piece->size();
    }
  });
  EXPECT_EQ(total, 64U << 20U);
}

}  // namespace
}  // namespace fuseboard::net
