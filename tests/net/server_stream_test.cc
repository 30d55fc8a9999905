// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streamed answers, callers that leave, and slow readers.
#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

// Lets the test decide when a handler goes on.
class Gate {
 public:
  explicit Gate(Loop& loop) : loop_(loop) {}
  Task<void> pass() { co_await shot_; }
  void open() {
    loop_.post([this] { shot_.set(); });
  }

 private:
  Loop& loop_;
  OneShot<> shot_;
};

TEST(ServerStream, EachWriteIsSentAtOnce) {
  std::array<std::unique_ptr<Gate>, 3> gates;
  Service service([&gates](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({.headers = {{"content-type", "text/event-stream"}}});
    co_await gates[0]->pass();
    co_await exchange.write("data: 1\n\n");
    co_await gates[1]->pass();
    co_await exchange.write("data: 2\n\n");
    co_await gates[2]->pass();
    EXPECT_TRUE(co_await exchange.finish());
  });
  for (auto& gate : gates) gate = std::make_unique<Gate>(service.loops.at(0));
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(kGet);
  // Each of these would wait for ever if anything were held back.
  EXPECT_EQ(socket.read_until("\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  gates[0]->open();
  EXPECT_EQ(socket.read_bytes(14), "9\r\ndata: 1\n\n\r\n");
  gates[1]->open();
  EXPECT_EQ(socket.read_bytes(14), "9\r\ndata: 2\n\n\r\n");
  gates[2]->open();
  EXPECT_EQ(socket.read_until("0\r\n\r\n"), "0\r\n\r\n");
}

TEST(ServerStream, ACallerThatLeavesIsNoticedWhileItsRequestIsHandled) {  // STR-6.1
  for (const bool half_closed : {false, true}) {
    Signal began, gone;
    Service service([&](ServerExchange& exchange) -> Task<void> {
      OneShot<> left;
      exchange.on_gone([&] { left.set(); });
      began.set();
      co_await left;
      EXPECT_TRUE(exchange.gone());
      EXPECT_FALSE(co_await exchange.respond({}, "nobody reads this"));
      gone.set();
    });
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(kGet);
    ASSERT_TRUE(began.wait());
    if (half_closed) {
      socket.shut_down_sending();
    } else {
      socket.reset();
    }
    EXPECT_TRUE(gone.wait());
  }
}

TEST(ServerStream, ACallerThatLeavesInTheMiddleOfAStreamEndsItsWrites) {  // STR-6.1
  Signal ended;
  Service service([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    while (co_await exchange.write(std::string(1000, 'x'))) {
      co_await exchange.loop().sleep_until(exchange.loop().now());
    }
    ended.set();
  });
  {
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(kGet);
    socket.read_bytes(2000);
  }
  EXPECT_TRUE(ended.wait());
}

TEST(ServerStream, OnGoneRunsAtOnceWhenTheCallerHasLeftAlready) {
  Signal called;
  Service service([&](ServerExchange& exchange) -> Task<void> {
    while (!exchange.gone()) co_await exchange.loop().sleep_until(saturating_add(exchange.loop().now(), 1ms));
    exchange.on_gone([&] { called.set(); });
  });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(kGet);
  socket.close();
  EXPECT_TRUE(called.wait());
}

TEST(ServerStream, ASlowReaderHoldsTheWriterBack) {  // STR-8
  std::atomic<std::size_t> written = 0;
  Signal blocked;
  Service service([&](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    const std::string block(1U << 20U, 'x');
    bool done = false;
    // Another task on the same loop runs only while this one waits for the reader.
    for (int i = 0; i < 64; ++i) {
      if (written == 0) {
        exchange.loop().post([&, &loop = exchange.loop()] {
          spawn([](Loop& l, std::atomic<std::size_t>& w, Signal& b) -> Task<void> {
            std::size_t before = w + 1;
            while (before != w) {  // no progress over a whole pause: the writer is held
              before = w;
              co_await l.sleep_until(saturating_add(l.now(), 50ms));
            }
            b.set();
          }(loop, written, blocked));
        });
      }
      if (!co_await exchange.write(block)) co_return;
      written += block.size();
    }
    done = co_await exchange.finish();
    EXPECT_TRUE(done);
  });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(kGet);
  ASSERT_TRUE(blocked.wait());
  EXPECT_LT(written, 32U << 20U);  // far from all: the system's buffers hold a few MiB
  const std::string answer = socket.read_until("0\r\n\r\n");
  EXPECT_GT(answer.size(), 64U << 20U);
}

TEST(ServerStream, AReaderThatStopsReadingIsCut) {  // STR-6.3
  Signal ended;
  Service service(
      [&](ServerExchange& exchange) -> Task<void> {
        co_await exchange.start({});
        const std::string block(1U << 20U, 'x');
        while (co_await exchange.write(block)) {
        }
        ended.set();
      },
      {.stream_write_timeout = 100ms});
  RawSocket socket = RawSocket::connect(service.port);
  socket.send(kGet);
  EXPECT_TRUE(ended.wait());
}

TEST(ServerStream, ACutStreamIsNotPresentedAsFinished) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    co_await exchange.write("part");
    if (exchange.head().target == "/abort") exchange.abort();
    // Otherwise the handler just ends.
  });
  for (const char* target : {"/abort", "/forget"}) {
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = socket.read_to_end();
    EXPECT_TRUE(answer.ends_with("4\r\npart\r\n")) << answer;
  }
}

TEST(ServerStream, AnOldCallerGetsAStreamThatEndsWithTheConnection) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    co_await exchange.write("one");
    co_await exchange.write("two");
    co_await exchange.finish();
  });
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(socket.read_to_end(), "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo");
}

TEST(ServerStream, TheConnectionIsKeptAfterAStream) {
  Service service([](ServerExchange& exchange) -> Task<void> {
    co_await exchange.start({});
    co_await exchange.write("x");
    co_await exchange.write("");
    co_await exchange.finish();
  });
  RawSocket socket = RawSocket::connect(service.port);
  for (int i = 0; i < 2; ++i) {
    socket.send(kGet);
    EXPECT_TRUE(socket.read_until("0\r\n\r\n").ends_with("\r\n\r\n1\r\nx\r\n0\r\n\r\n"));
  }
}

}  // namespace
}  // namespace fuseboard::net
