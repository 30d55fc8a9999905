// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: a connection to an origin, from the resolving of its name to its place in the pool.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <expected>
#include <optional>
#include <vector>

#include "net/client.h"
#include "net/connection.h"
#include "net/resolver.h"

namespace fuseboard::net {

struct ClientPool;

class ClientConnection final : public Connection {
 public:
  // The resolver must outlive its connecting.
  ClientConnection(Loop& loop, Resolver& resolver, const Origin& origin, std::size_t most_buffered);

  const Origin& origin() const noexcept { return origin_; }

  // Resolves, connects and shakes hands. Where there are several addresses they are tried in turn, and each gets an
  // equal part of the time that is left, so that one that does not answer leaves time for the next.
  Task<std::expected<void, TransportError>> connect(asio::ssl::context* tls_context, TimePoint by);

  // The pool's side: watch for bytes or an end that nobody asked for, and for the end of the idle time.
  void start_idle(ClientPool& pool, TimePoint until);
  // False when the server is known to have closed it or sent something.
  bool end_idle();
  // Asks the system for what the loop has not heard of yet.
  bool is_silent();
  // Ends the idle time from within.
  void leave_pool();

  // Whether any byte of a request may have left.
  bool sent_anything = false;

 private:
  void on_unawaited_read() override;
  void on_unawaited_deadline() override;

  Task<std::expected<std::vector<Tcp::endpoint>, TransportError>> resolve();
  Task<ErrorCode> try_endpoint(const Tcp::endpoint& endpoint);
  Task<std::expected<void, TransportError>> shake_hands(asio::ssl::context& context);
  Task<void> step_done();
  TransportError give_up(std::string message) const;
  std::expected<std::vector<Tcp::endpoint>, TransportError> endpoints_of(const NameAnswer& answer) const;

  Resolver& resolver_;
  const Origin origin_;
  std::optional<Resolver::Lookup> lookup_;  // while the name is being looked up
  NameAnswer answer_;
  ErrorCode step_error_;        // of the step of connect() that is under way
  bool step_pending_ = false;   // its handler has not run
  ClientPool* pool_ = nullptr;  // while idle; it owns this
};

}  // namespace fuseboard::net
