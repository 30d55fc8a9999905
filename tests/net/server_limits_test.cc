// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a server does at its bounds and with callers that break the rules.
#include <poll.h>
#include <sys/resource.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/net/net_fixture.h"

namespace fuseboard::net {
namespace {

using namespace testing;

Task<void> ok(ServerExchange& exchange) {
  const auto body = co_await exchange.read_body();
  int status = 200;
  if (!body) {
    switch (body.error()) {
      case BodyError::too_large:
        status = 413;
        break;
      case BodyError::timeout:
        status = 408;
        break;
      case BodyError::malformed:
        status = 400;
        break;
      case BodyError::no_memory:
        status = 503;
        break;
      case BodyError::gone:
        co_return;
    }
  }
  co_await exchange.respond({.status = status}, "done");
}

std::string answer_to(std::uint16_t port, std::string_view request) {
  RawSocket socket = RawSocket::connect(port);
  socket.send(request);
  return socket.read_to_end();
}

TEST(ServerLimits, AMalformedHeadGets400) {
  Service service(ok);
  for (const std::string_view request :
       {"what\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",                  // no Host
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00",  // TLS
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    const std::string answer = answer_to(service.port, request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << request << "\n" << answer;
    EXPECT_TRUE(answer.contains("connection: close")) << request;
  }
}

TEST(ServerLimits, AnUnknownTransferEncodingGets501) {  // or it would be a way to smuggle a second request past a proxy
  Service service(ok);
  for (const char* coding : {"gzip", "gzip, chunked", "xchunked", "chunked, identity"}) {
    const std::string answer =
        answer_to(service.port, std::string("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ") + coding + "\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 501 ")) << coding << answer;
  }
}

TEST(ServerLimits, AMebibyteOfHeaderGets431) {  // CORE-5
  Service service(ok);
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(1U << 20U, 'a') + "\r\n\r\n");
  EXPECT_TRUE(socket.read_to_end().starts_with("HTTP/1.1 431 "));
}

TEST(ServerLimits, AHeadThatGrowsByManySmallHeadersGets431) {  // CORE-5
  Service service(ok, {.max_head = 4096, .max_headers = 10'000});
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("GET / HTTP/1.1\r\nHost: x\r\n");
  for (int i = 0; i < 1000; ++i) socket.send("a: b\r\n");
  EXPECT_TRUE(socket.read_to_end().starts_with("HTTP/1.1 431 "));
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 256; ++i) many += "a: b\r\n";
  Service counted(ok);
  EXPECT_TRUE(answer_to(counted.port, many + "\r\n").starts_with("HTTP/1.1 431 "));
}

TEST(ServerLimits, AHeadWithinTheBoundPasses) {
  Service service(ok);
  const std::string answer = answer_to(
      service.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + std::string(60 * 1024, 'a') + "\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
}

TEST(ServerLimits, ASlowHeadGets408) {
  Service service(ok, {.header_timeout = 60ms});
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("GET / HTTP/1.1\r\nHo");
  EXPECT_TRUE(socket.read_to_end().starts_with("HTTP/1.1 408 "));
}

TEST(ServerLimits, AnIdleConnectionIsClosedWithoutAWord) {
  Service service(ok, {.idle_timeout = 60ms});
  RawSocket fresh = RawSocket::connect(service.port);
  EXPECT_EQ(fresh.read_to_end(), "");
  RawSocket used = RawSocket::connect(service.port);
  used.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(used.read_to_end().ends_with("\r\n\r\ndone"));
}

TEST(ServerLimits, ABodyThatStopsComingTimesOut) {
  Service service(ok, {.body_timeout = 60ms});
  EXPECT_TRUE(answer_to(service.port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
                  .starts_with("HTTP/1.1 408 "));
}

// Whoever stopped first is cut off first: the time begins once, also where a part of the body came with the head.
TEST(ServerLimits, TheTimeForABodyBeginsWithItsLastByte) {
  Service service(ok, {.body_timeout = 60ms});
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n";
  for (const std::string& begun : {head, head + "ab"}) {
    RawSocket first = RawSocket::connect(service.port);
    first.send(begun);
    EXPECT_TRUE(answer_to(service.port, head).starts_with("HTTP/1.1 408 "));
    pollfd entry{.fd = first.descriptor(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&entry, 1, 0), 1) << begun;
    EXPECT_TRUE(first.read_to_end().starts_with("HTTP/1.1 408 ")) << begun;
  }
}

TEST(ServerLimits, WhoIsInvitedToContinueAndDoesNotTimesOut) {
  Service service(ok, {.body_timeout = 60ms});
  const std::string answer =
      answer_to(service.port, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")) << answer;
}

TEST(ServerLimits, AChunkHeaderThatStopsComingTimesOut) {
  Service service(ok, {.body_timeout = 60ms});
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* half : {"5", "5\n", "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\nX-Trailer"}) {
    EXPECT_TRUE(answer_to(service.port, head + half).starts_with("HTTP/1.1 408 ")) << half;
  }
}

TEST(ServerLimits, BrokenChunksAreMalformed) {
  Service service(ok);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_TRUE(answer_to(service.port, head + "zz\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(answer_to(service.port, head + "3\r\nabcd\r\n0\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(answer_to(service.port, head + "1;" + std::string(200'000, 'x')).starts_with("HTTP/1.1 400 "));
}

TEST(ServerLimits, A413CanBeReadByACallerThatSends40MiBFirst) {  // CORE-5
  Service service(ok);
  for (const bool chunked : {false, true}) {
    RawSocket socket = RawSocket::connect(service.port);
    constexpr std::size_t kSize = 40U << 20U;
    const std::string framing = chunked ? "Transfer-Encoding: chunked\r\n\r\n2800000\r\n"
                                        : "Content-Length: " + std::to_string(kSize) + "\r\n\r\n";
    ASSERT_TRUE(socket.send("POST / HTTP/1.1\r\nHost: x\r\n" + framing));
    EXPECT_TRUE(socket.send(std::string(kSize, 'x')));
    EXPECT_TRUE(socket.send(chunked ? "\r\n0\r\n\r\n" : ""));
    const std::string answer = socket.read_to_end();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    EXPECT_TRUE(answer.contains("connection: close"));
  }
}

TEST(ServerLimits, ABodyHasHalfAMinuteAndASecondForEach64KiBOfIt) {  // CORE-5
  const ServerOptions defaults;
  const TimePoint began{1h};
  EXPECT_EQ(defaults.body_due(began, 0), began + 30s);
  EXPECT_EQ(defaults.body_due(began, 64 * 1024), began + 31s);
  EXPECT_EQ(defaults.body_due(began, 32 * 1024), began + 30500ms);
  EXPECT_EQ(defaults.body_due(began, 32U << 20U), began + 542s);
}

TEST(ServerLimits, ABodyThatTricklesGets408ThoughItNeverStops) {  // CORE-5
  Service service(ok, {.body_timeout = 10s, .body_grace = 300ms});
  for (const char* framing : {"Content-Length: 1000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    RawSocket socket = RawSocket::connect(service.port);
    socket.send(std::string("POST / HTTP/1.1\r\nHost: x\r\n") + framing);
    const std::string_view piece = std::string_view(framing).contains("chunked") ? "1\r\nx\r\n" : "x";
    pollfd answered{.fd = socket.descriptor(), .events = POLLIN, .revents = 0};
    int pieces = 0;
    while (pieces < 10'000 && ::poll(&answered, 1, 5) == 0 && socket.send(piece)) ++pieces;
    const std::string answer = socket.read_until("\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
    EXPECT_GT(pieces, 1) << "it was cut for a silence";
  }
}

TEST(ServerLimits, ASteadyBodyMayTakeLongerThanTheGrace) {
  Service service(ok, {.body_grace = 100ms, .body_rate = 10});
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n");
  pollfd answered{.fd = socket.descriptor(), .events = POLLIN, .revents = 0};
  for (int i = 0; i < 6; ++i) {
    ASSERT_EQ(::poll(&answered, 1, 50), 0) << "it was cut at piece " << i;
    ASSERT_TRUE(socket.send("0123456789"));
  }
  EXPECT_TRUE(socket.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, BodiesShareTheirMemoryAndWhoFindsNoneInTimeGets503) {  // CORE-5
  const auto memory = std::make_shared<BodyMemory>(300'000);
  Service service(ok, {.body_memory = memory, .body_memory_wait = 50ms});
  Caller caller;
  BodyMemory::Share others(memory);
  ASSERT_TRUE(others.try_grow(200'001));
  for (const bool chunked : {false, true}) {
    const std::string framing =
        chunked ? "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" : "Content-Length: 100000\r\n\r\n";
    EXPECT_TRUE(answer_to(service.port, "POST / HTTP/1.1\r\nHost: x\r\n" + framing + std::string(100'000, 'x') +
                                            (chunked ? "\r\n0\r\n\r\n" : ""))
                    .starts_with("HTTP/1.1 503 "));
  }
  EXPECT_EQ(fetch(caller, service.origin(), {.method = "POST"}, std::string(99'999, 'x'))->head.status, 200);
  service.loops.stop();  // a caller has its answer before its request's memory is given back
  EXPECT_EQ(memory->counters().bytes, 200'001U) << "what was read has not been given back";
  EXPECT_EQ(memory->counters().timed_out, 2U);
}

TEST(ServerLimits, ABodyGoesOnWhenMemoryIsFree) {  // CORE-5
  const auto memory = std::make_shared<BodyMemory>(300'000);
  Service service(ok, {.body_memory = memory, .body_memory_wait = kPatience});
  BodyMemory::Share others(memory);
  ASSERT_TRUE(others.try_grow(250'000));
  RawSocket socket = RawSocket::connect(service.port);
  socket.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 250000\r\n\r\n");
  while (memory->counters().waited == 0) std::this_thread::yield();
  others.clear();
  socket.send(std::string(250'000, 'x'));
  EXPECT_TRUE(socket.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, ABodyAtTheBoundPassesAndOneByteMoreDoesNot) {  // CORE-5
  Service service(ok, {.max_body = 1000});
  Caller caller;
  EXPECT_EQ(fetch(caller, service.origin(), {.method = "POST"}, std::string(1000, 'x'))->head.status, 200);
  EXPECT_EQ(fetch(caller, service.origin(), {.method = "POST"}, std::string(1001, 'x'))->head.status, 413);
}

TEST(ServerLimits, OneConnectionTooManyGets503) {  // CORE-5
  Service service(ok, {.max_connections = 2});
  RawSocket first = RawSocket::connect(service.port);
  RawSocket second = RawSocket::connect(service.port);
  for (RawSocket* socket : {&first, &second}) {
    socket->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(socket->read_until("done").starts_with("HTTP/1.1 200 "));
  }
  EXPECT_TRUE(answer_to(service.port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(service.server->counters().refused_connections, 1U);
  first.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(first.read_to_end().ends_with("done"));
  // The place is free again as soon as the server has seen the end.
  while (service.server->counters().open_connections > 1) std::this_thread::yield();
  EXPECT_TRUE(
      answer_to(service.port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST(ServerLimits, TheServersOwnAnswersHaveTheGivenShape) {
  Service service(ok, {.error_body = [](int status, std::string_view,
                                        const RequestHead&) { return "{\"status\":" + std::to_string(status) + "}"; },
                       .error_content_type = "application/json"});
  const std::string answer = answer_to(service.port, "bad\r\n\r\n");
  EXPECT_TRUE(answer.contains("content-type: application/json\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("{\"status\":400}")) << answer;
}

TEST(ServerLimits, TheServersOwnAnswersKnowWhatWasAskedFor) {
  Service service(
      [](ServerExchange& exchange) -> Task<void> {
        if (exchange.head().target == "/throws") throw std::runtime_error("no");
        co_await exchange.respond({}, "done");
      },
      {.max_head = 2048, .header_timeout = 50ms, .error_body = [](int, std::string_view, const RequestHead& request) {
         return "asked for '" + request.target + "'";
       }});
  const auto refused = [&](const std::string& request) {
    const std::string answer = answer_to(service.port, request);
    return answer.substr(9, 4) + answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
  };
  const std::string good = "GET /before HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(refused("GET /throws HTTP/1.1\r\nHost: x\r\n\r\n"), "500 asked for '/throws'");
  EXPECT_EQ(refused("POST /a?b HTTP/1.1\r\nx: " + std::string(3000, 'x')), "431 asked for '/a?b'");
  EXPECT_EQ(refused("POST /slow HTTP/1.1\r\nx: y"), "408 asked for '/slow'");
  EXPECT_EQ(refused("POST /cut-o"), "408 asked for '/cut-o'");
  EXPECT_EQ(refused("POST"), "408 asked for ''");
  EXPECT_EQ(refused("\x16\x03\x01\r\n\r\n"), "400 asked for ''");
  EXPECT_TRUE(refused(good + "POST /after HTTP/1.1\r\nx: y").ends_with("asked for '/after'"));
  EXPECT_TRUE(refused(good + "POST").ends_with("asked for ''"));
}

TEST(ServerLimits, WithoutDescriptorsNewCallersWaitAndAreServedLater) {
  Service service(ok);
  RawSocket waiting = RawSocket::connect(service.port);
  waiting.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(waiting.read_until("done").ends_with("done"));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  RawSocket late(-1);
  {
    // Two more descriptors fit: the caller's own end, and none for the server's.
    rlimit tight = before;
    std::vector<int> fillers;
    const int next = ::dup(0);
    ::close(next);
    tight.rlim_cur = static_cast<rlim_t>(next) + 1;
    ::setrlimit(RLIMIT_NOFILE, &tight);
    RawSocket socket = RawSocket::connect(service.port);
    socket.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    // The loop is alive: the first connection is still served.
    waiting.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(waiting.read_until("done").ends_with("done"));
    EXPECT_EQ(service.server->counters().open_connections, 1U);
    ::setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_TRUE(socket.read_to_end().ends_with("done"));
  }
}

}  // namespace
}  // namespace fuseboard::net
