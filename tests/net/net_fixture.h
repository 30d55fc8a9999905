// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Real servers, clients and raw sockets on loopback for the tests of net. Every wait is bounded by kPatience, which
// only a failing test uses up.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuseboard/core/deadline.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"
#include "net/task.h"

namespace fuseboard::net::testing {

using namespace std::chrono_literals;
inline constexpr auto kPatience = 20s;

template <class T>
T wait_for(std::future<T> future) {
  if (future.wait_for(kPatience) != std::future_status::ready) {
    ADD_FAILURE() << "nothing happened for " << kPatience.count() << " s";
    std::abort();
  }
  return future.get();
}

// An event that tests wait for from their own thread. Set at most once.
class Signal {
 public:
  void set() { promise_.set_value(); }
  bool wait() { return future_.wait_for(kPatience) == std::future_status::ready; }

 private:
  std::promise<void> promise_;
  std::future<void> future_ = promise_.get_future();
};

template <class T, class F>
Task<void> keep_result(F function, std::promise<T>& promise) {
  promise.set_value(co_await function());
}

// Runs the coroutine on the loop and waits for its result.
template <class F>
auto run_on(Loop& loop, F function) {
  using T = decltype(function().await_resume());
  std::promise<T> promise;
  auto future = promise.get_future();
  loop.post(
      [&promise, function = std::move(function)]() mutable { spawn(keep_result<T>(std::move(function), promise)); });
  return wait_for(std::move(future));
}

// A server on its own loops. Loops stop before anything else goes.
class Service {
 public:
  explicit Service(Handler handler, ServerOptions options = {}, std::size_t threads = 1)
      : loops(threads), server(std::in_place, loops, std::move(options), std::move(handler)) {
    const auto bound = server->listen("127.0.0.1", 0);
    EXPECT_TRUE(bound.has_value()) << bound.error();
    port = bound.value_or(0);
  }
  ~Service() { loops.stop(); }
  Origin origin() const { return {.host = "127.0.0.1", .port = port}; }

  LoopGroup loops;
  std::optional<HttpServer> server;
  std::uint16_t port = 0;
};

// A client on its own loop.
class Caller {
 public:
  explicit Caller(ClientOptions options = {}) : loops(1), client(std::in_place, loops.at(0), std::move(options)) {}
  ~Caller() { loops.stop(); }

  // `function` is a coroutine function of (HttpClient&).
  template <class F>
  auto run(F function) {
    return run_on(loops.at(0), [this, function = std::move(function)] { return function(*client); });
  }
  std::size_t idle() {
    return run([](HttpClient& c) -> Task<std::size_t> { co_return c.idle_connections(); });
  }
  TimePoint soon() { return saturating_add(loops.at(0).now(), kPatience); }
  TimePoint in(Duration d) { return saturating_add(loops.at(0).now(), d); }

  LoopGroup loops;
  std::optional<HttpClient> client;
};

struct Answer {
  ResponseHead head{};
  std::string body{};
  bool reused = false;
};
using AnswerOrError = std::expected<Answer, TransportError>;

// One whole exchange, with patience.
Task<AnswerOrError> fetch(HttpClient& client, Origin origin, RequestHead head = {}, std::string body = {});
AnswerOrError fetch(Caller& caller, const Origin& origin, RequestHead head = {}, std::string body = {});

// A blocking socket.
class RawSocket {
 public:
  static RawSocket connect(std::uint16_t port);
  explicit RawSocket(int descriptor) noexcept : descriptor_(descriptor) {}
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), unread_(std::move(other.unread_)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  ~RawSocket() { close(); }

  bool send(std::string_view bytes);  // false: the peer is gone
  // Up to and including `mark`; what came, if the peer closes first.
  std::string read_until(std::string_view mark);
  std::string read_bytes(std::size_t n);
  std::string read_to_end();
  bool at_end();  // waits for the end; false if bytes come instead
  void shut_down_sending();
  void reset();  // closes with RST
  void close();
  int descriptor() const { return descriptor_; }

 private:
  bool receive();  // false at the end
  int descriptor_;
  std::string unread_;
};

// A listening socket whose connections the test serves by hand.
class RawServer {
 public:
  RawServer();
  ~RawServer();
  RawSocket accept();
  std::uint16_t port() const { return port_; }
  Origin origin() const { return {.host = "127.0.0.1", .port = port_}; }
  void close();

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace fuseboard::net::testing
