// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: a listening socket.
#pragma once

#include <memory>
#include <optional>

#include "net/loop_impl.h"
#include "net/ref.h"
#include "net/server_impl.h"

namespace fuseboard::net {

using AsioAcceptor = asio::basic_socket_acceptor<Tcp, Executor>;

// Takes connections as they come and hands them to its server. Without descriptors it rests for kRest instead of
// spinning; what waits in the kernel's queue is taken later.
class Acceptor final : public RefCounted, public LoopMember {
 public:
  static constexpr Duration kRest = std::chrono::milliseconds(100);

  Acceptor(Loop& loop, AsioAcceptor acceptor, std::weak_ptr<HttpServer::Impl> server);
  void arm();
  void close() noexcept { acceptor_.reset(); }
  // Takes what the kernel has accepted already, so that closing resets nobody.
  void accept_rest_and_close();

 private:
  void accept_waiting();
  void on_deadline() override { arm(); }
  void on_loop_stop() override { close(); }

  std::optional<AsioAcceptor> acceptor_;
  std::weak_ptr<HttpServer::Impl> server_;
};

}  // namespace fuseboard::net
