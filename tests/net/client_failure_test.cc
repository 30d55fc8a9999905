// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a client says when something goes wrong, and what the other side sees.
#include <array>

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

// Serves one connection with a fixed text after the request's head, then closes.
AnswerOrError fetch_from(std::string_view response, RequestHead head = {}) {
  RawServer server;
  Caller caller;
  auto answer = std::async(std::launch::async, [&] { return fetch(caller, server.origin(), std::move(head)); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send(response);
  socket.shut_down_sending();
  auto got = answer.get();
  if (!got) {
    EXPECT_FALSE(got.error().message.empty());
    EXPECT_FALSE(got.error().message.contains("secret")) << got.error().message;
  }
  return got;
}

TEST(ClientFailure, ARefusedConnectionCannotHaveRun) {
  RawServer server;
  const Origin origin = server.origin();
  server.close();
  Caller caller;
  const auto answer = fetch(caller, origin);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, TransportError::connect_refused);
  EXPECT_EQ(answer.error().sys_errno, ECONNREFUSED);
  EXPECT_FALSE(answer.error().request_may_have_run);
}

TEST(ClientFailure, AnUnknownNameDoesNotResolve) {
  Caller caller;
  const auto answer = fetch(caller, {.host = "no-such-host.invalid", .port = 80});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, TransportError::resolve);
  EXPECT_FALSE(answer.error().request_may_have_run);
}

TEST(ClientFailure, ANameIsResolved) {
  Service service([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, "done"); });
  Caller caller;
  const auto answer = fetch(caller, {.host = "localhost", .port = service.port});
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
}

TEST(ClientFailure, AServerThatDoesNotAcceptTimesOut) {
  // A listener whose queue is full does not answer further connections.
  RawServer server;
  std::vector<RawSocket> queue;
  Caller caller;
  AnswerOrError answer;
  for (int i = 0; i < 200; ++i) {
    answer = caller.run([&](HttpClient& client) -> Task<AnswerOrError> {
      auto exchange = std::make_unique<ClientExchange>(client.exchange(server.origin()));
      const auto head = co_await exchange->send({}, {}, {.connect_by = caller.in(100ms), .head_by = caller.in(1ms)});
      if (!head) co_return std::unexpected(head.error());
      co_return Answer{};
    });
    ASSERT_FALSE(answer.has_value());
    if (answer.error().kind == TransportError::connect_timeout) break;
    ASSERT_EQ(answer.error().kind, TransportError::head_timeout);
    EXPECT_TRUE(answer.error().request_may_have_run);
  }
  EXPECT_EQ(answer.error().kind, TransportError::connect_timeout);
  EXPECT_FALSE(answer.error().request_may_have_run);
}

TEST(ClientFailure, AConnectionClosedBeforeTheHeadMayHaveRun) {
  for (const char* start : {"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nx: secret\r\n"}) {
    const auto answer = fetch_from(start);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, TransportError::closed_early) << start;
    EXPECT_TRUE(answer.error().request_may_have_run);
  }
}

TEST(ClientFailure, ATruncatedBodyIsAnError) {  // STR-2
  for (const char* response : {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nsecret",
                               "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nsecret\r\n",
                               "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n",
                               "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nsec"}) {
    const auto answer = fetch_from(response);
    ASSERT_FALSE(answer.has_value()) << response;
    EXPECT_EQ(answer.error().kind, TransportError::truncated) << response;
  }
}

TEST(ClientFailure, WhatIsNotHttpIsMalformed) {
  for (const char* response :
       {"SSH-2.0-secret\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nsecret\r\n"}) {
    const auto answer = fetch_from(response);
    ASSERT_FALSE(answer.has_value()) << response;
    EXPECT_EQ(answer.error().kind, TransportError::malformed) << response;
  }
}

TEST(ClientFailure, WhatCameBeforeABrokenChunkIsHandedOut) {
  RawServer server;
  Caller caller;
  auto done = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<std::string> {
      ClientExchange exchange = client.exchange(server.origin());
      EXPECT_TRUE((co_await exchange.send({}, {}, {})).has_value());
      const auto piece = co_await exchange.read_some(caller.soon());
      std::string text(piece.value_or("none"));
      const auto broken = co_await exchange.read_some(caller.soon());
      EXPECT_FALSE(broken.has_value());
      if (!broken) text += name(broken.error().kind);
      const auto still = co_await exchange.read_some(caller.soon());
      EXPECT_FALSE(still.has_value());
      co_return text;
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
  EXPECT_EQ(done.get(), "abmalformed");
}

TEST(ClientFailure, AHeadOverTheBoundIsTooLarge) {  // CORE-5
  EXPECT_EQ(fetch_from("HTTP/1.1 200 OK\r\nx: " + std::string(70'000, 'a')).error().kind, TransportError::too_large);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 300; ++i) many += "a: b\r\n";
  EXPECT_EQ(fetch_from(many + "\r\n").error().kind, TransportError::too_large);
}

TEST(ClientFailure, ABodyOverTheGivenBoundIsTooLarge) {  // CORE-5
  Service service(
      [](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, std::string(1001, 'x')); });
  Caller caller;
  const auto read = [&](std::size_t bound) {
    return caller.run([&, bound](HttpClient& client) -> Task<std::expected<std::string, TransportError>> {
      ClientExchange exchange = client.exchange(service.origin());
      EXPECT_TRUE((co_await exchange.send({}, {}, {})).has_value());
      co_return co_await exchange.read_all(bound, caller.soon());
    });
  };
  EXPECT_TRUE(read(1001).has_value());
  EXPECT_EQ(read(1000).error().kind, TransportError::too_large);
}

TEST(ClientFailure, AResetIsAReset) {
  RawServer server;
  Caller caller;
  auto answer = std::async(std::launch::async, [&] { return fetch(caller, server.origin()); });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.reset();
  const auto got = answer.get();
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().kind, TransportError::reset);
  EXPECT_EQ(got.error().sys_errno, ECONNRESET);
  EXPECT_TRUE(got.error().request_may_have_run);
}

TEST(ClientFailure, ASilentServerTimesOutAndSeesTheEnd) {
  RawServer server;
  Caller caller;
  auto kind = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<TransportError::Kind> {
      ClientExchange exchange = client.exchange(server.origin());
      const auto head = co_await exchange.send({}, {}, {.connect_by = caller.soon(), .head_by = caller.in(60ms)});
      co_return head ? TransportError::tls : head.error().kind;
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  EXPECT_EQ(kind.get(), TransportError::head_timeout);
  EXPECT_TRUE(socket.at_end());
}

TEST(ClientFailure, ABodyThatStopsTimesOut) {
  RawServer server;
  Caller caller;
  auto kind = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<TransportError::Kind> {
      ClientExchange exchange = client.exchange(server.origin());
      EXPECT_TRUE((co_await exchange.send({}, {}, {})).has_value());
      EXPECT_EQ((co_await exchange.read_some(caller.soon())).value_or(""), "ab");
      const auto piece = co_await exchange.read_some(caller.in(60ms));
      co_return piece ? TransportError::tls : piece.error().kind;
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab");
  EXPECT_EQ(kind.get(), TransportError::body_timeout);
  EXPECT_TRUE(socket.at_end());
}

enum class Moment : std::uint8_t { waiting_for_head, waiting_for_body, between_calls };

TEST(ClientFailure, CancelClosesTheConnectionAtOnce) {  // STR-6.1
  for (const Moment moment : {Moment::waiting_for_head, Moment::waiting_for_body, Moment::between_calls}) {
    RawServer server;
    Caller caller;
    std::shared_ptr<ClientExchange> exchange;
    auto kind = std::async(std::launch::async, [&] {
      return caller.run([&](HttpClient& client) -> Task<TransportError::Kind> {
        exchange = std::make_shared<ClientExchange>(client.exchange(server.origin()));
        const auto head = co_await exchange->send({}, {}, {});
        if (!head) co_return head.error().kind;
        if (moment == Moment::between_calls) exchange->cancel();
        const auto piece = co_await exchange->read_some(kNever);
        co_return piece ? TransportError::tls : piece.error().kind;
      });
    });
    RawSocket socket = server.accept();
    socket.read_until("\r\n\r\n");
    if (moment != Moment::waiting_for_head) socket.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
    if (moment != Moment::between_calls) caller.loops.at(0).post([&] { exchange->cancel(); });
    EXPECT_TRUE(socket.at_end());
    EXPECT_EQ(kind.get(), TransportError::cancelled);
    caller.run([&](HttpClient&) -> Task<bool> {
      exchange.reset();
      co_return true;
    });
  }
}

TEST(ClientFailure, DestroyingAnUnfinishedExchangeClosesItsConnection) {  // STR-6.1
  RawServer server;
  Caller caller;
  auto done = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<bool> {
      ClientExchange exchange = client.exchange(server.origin());
      co_return (co_await exchange.send({}, {}, {})).has_value();
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab");
  EXPECT_TRUE(done.get());
  EXPECT_TRUE(socket.at_end());
  EXPECT_EQ(caller.idle(), 0U);
}

TEST(ClientFailure, DestroyingTheExchangeEndsAnOperationThatWaits) {
  RawServer server;
  Caller caller;
  std::unique_ptr<ClientExchange> exchange;
  auto kind = std::async(std::launch::async, [&] {
    return caller.run([&](HttpClient& client) -> Task<TransportError::Kind> {
      exchange = std::make_unique<ClientExchange>(client.exchange(server.origin()));
      const RequestHead head;
      const auto response = co_await exchange->send(head, {}, {});
      co_return response ? TransportError::tls : response.error().kind;
    });
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  caller.loops.at(0).post([&] { exchange.reset(); });
  EXPECT_EQ(kind.get(), TransportError::cancelled);
  EXPECT_TRUE(socket.at_end());
}

TEST(ClientFailure, AnAnswerThatComesBeforeTheBodyIsSentIsRead) {
  RawServer server;
  Caller caller;
  auto answer = std::async(std::launch::async, [&] {
    return fetch(caller, server.origin(), {.method = "POST"}, std::string(64U << 20U, 'x'));
  });
  RawSocket socket = server.accept();
  socket.read_until("\r\n\r\n");
  socket.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno");
  const auto got = answer.get();
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->head.status, 413);
  EXPECT_EQ(got->body, "no");
  EXPECT_EQ(caller.idle(), 0U);
}

TEST(ClientFailure, StoppingTheLoopCancels) {
  RawServer server;
  std::promise<TransportError::Kind> kind;
  std::optional<RawSocket> socket;
  {
    Caller caller;
    caller.loops.at(0).post([&] {
      spawn(keep_result<TransportError::Kind>(
          [&]() -> Task<TransportError::Kind> {
            ClientExchange exchange = caller.client->exchange(server.origin());
            const auto head = co_await exchange.send({}, {}, {});
            co_return head ? TransportError::tls : head.error().kind;
          },
          kind));
    });
    socket.emplace(server.accept());
    socket->read_until("\r\n\r\n");
  }
  EXPECT_EQ(wait_for(kind.get_future()), TransportError::cancelled);
}

}  // namespace
}  // namespace fuseboard::net
