// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: what the connections and acceptors of one server share.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "net/loop_impl.h"
#include "net/ref.h"
#include "net/server.h"

namespace fuseboard::net {

class Acceptor;

// A connection in the ring of its loop and server.
struct ConnectionLink : Link {
  explicit ConnectionLink(ServerConnection& connection) noexcept : owner(connection) {}
  ServerConnection& owner;
};

// One loop's part of a server. Written by that loop alone; the counters may be read by anyone.
struct alignas(64) ServerShare {
  Link connections;
  bool draining = false;
  std::atomic<std::size_t> in_flight{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> exceptions{0};
};

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(LoopGroup& group, ServerOptions given, Handler handle);
  ~Impl();

  // Of the first loop, where acceptors live.
  void add_acceptor(Ref<Acceptor> acceptor);
  void admit(int descriptor);  // a fresh socket; takes it over
  void start_drain(Deadline deadline, std::move_only_function<void()> done);

  // Any thread.
  void cut_all();
  void connection_ended();

  LoopGroup& loops;
  const ServerOptions options;
  const Handler handler;
  std::vector<ServerShare> shares;
  std::atomic<std::size_t> open{0};
  std::atomic<std::size_t> refusing{0};  // of the open ones, those that get 503
  std::atomic<std::uint64_t> refused{0};
  std::atomic<bool> draining{false};

 private:
  Task<void> cut_after(Deadline deadline);
  void finish_drain();

  // First loop only.
  std::vector<Ref<Acceptor>> acceptors_;
  std::size_t next_loop_ = 0;
  std::move_only_function<void()> drained_;
  std::optional<Timer> drain_timer_;
};

}  // namespace fuseboard::net
