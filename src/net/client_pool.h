// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: the idle connections of one HttpClient.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "net/client_connection.h"

namespace fuseboard::net {

struct OriginHash {
  std::size_t operator()(const Origin& origin) const noexcept {
    return std::hash<std::string>()(origin.host) ^ (static_cast<std::size_t>(origin.port) << 1U) ^
           (origin.tls ? 1U : 0U);
  }
};

struct ClientPool final : RefCounted {
  ClientPool(Loop& owner, ClientOptions given, std::shared_ptr<asio::ssl::context> tls)
      : loop(owner), options(std::move(given)), tls_context(std::move(tls)) {}

  // The connection used last, as it is the least likely to be closed by the server soon; null when there is none.
  // `check`: whether the system is asked if it is still alive.
  Ref<ClientConnection> take(const Origin& origin, bool check);
  // A connection whose last response is complete and that may be used again.
  void put(Ref<ClientConnection> connection);
  void forget(ClientConnection& connection);
  void close_all();

  Loop& loop;
  const ClientOptions options;
  std::shared_ptr<asio::ssl::context> tls_context;  // null until it is needed
  std::size_t idle = 0;

 private:
  using Idle = std::vector<Ref<ClientConnection>>;  // the oldest first
  std::unordered_map<Origin, Idle, OriginHash> by_origin_;
  bool closed_ = false;
};

}  // namespace fuseboard::net
