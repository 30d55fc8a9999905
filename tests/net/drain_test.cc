// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(Drain, ClosesIdleConnectionsAndLetsRunningRequestsFinish) {
  OneShot<> go;
  Signal began;
  Service service(
      [&](ServerExchange& exchange) -> Task<void> {
        if (exchange.head().target == "/slow") {
          began.set();
          co_await go;
        }
        co_await exchange.respond({}, "done");
      },
      {}, 1);
  RawSocket idle = RawSocket::connect(service.port);
  idle.send(kGet);
  EXPECT_TRUE(idle.read_until("done").ends_with("done"));
  RawSocket busy = RawSocket::connect(service.port);
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(began.wait());

  Signal drained;
  service.server->drain(Deadline::never(), [&] { drained.set(); });
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(service.server->counters().requests_in_flight, 1U);
  service.loops.at(0).post([&] { go.set(); });
  const std::string answer = busy.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.contains("connection: close\r\n")) << answer;
  EXPECT_TRUE(drained.wait());
  EXPECT_EQ(service.server->counters().open_connections, 0U);
}

TEST(Drain, StopsAccepting) {
  Service service([](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, "done"); });
  service.server->drain_and_wait(Deadline::never());
  // The port is free again.
  LoopGroup loops(1);
  HttpServer next(loops, {}, [](ServerExchange& exchange) -> Task<void> { co_await exchange.respond({}, "next"); });
  EXPECT_TRUE(next.listen("127.0.0.1", service.port).has_value());
  loops.stop();
}

TEST(Drain, CutsWhatIsLeftAtTheDeadline) {
  Signal gone;
  Service service([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    while (co_await exchange.write("x"))
      co_await exchange.loop().sleep_until(saturating_add(exchange.loop().now(), 1ms));
    gone.set();
  });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(kGet);
  socket.read_until("\r\n\r\n");
  service.server->drain_and_wait(Deadline::after(service.loops.at(0).now(), 50ms));
  EXPECT_TRUE(gone.wait());
  EXPECT_FALSE(socket.read_to_end().ends_with("0\r\n\r\n"));
}

TEST(Drain, StoppingTheLoopsEndsRunningRequests) {
  Signal began;
  bool ended = false;
  {
    Service service([&](ServerExchange& exchange) -> Task<void> {
      began.set();
      EXPECT_FALSE(co_await exchange.loop().sleep_until(kNever));
      EXPECT_FALSE(co_await exchange.respond({}, "late"));
      ended = true;
    });
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(kGet);
    ASSERT_TRUE(began.wait());
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace fuseboard::net
