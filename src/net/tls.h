// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: TLS of the client side.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "net/asio.h"
#include "net/client.h"

namespace fuseboard::net {

// TLS over a connection's socket, with the clear text of the write that is on its way: a caller may take its own away.
class TlsLayer {
 public:
  TlsLayer(Socket& socket, asio::ssl::context& context) : stream(socket, context) {}
  static constexpr std::size_t kRecord = 16 * 1024;

  asio::ssl::stream<Socket&> stream;
  std::string writing;
};

// Trusts the options' authorities and nothing else; TLS 1.2 or later. Loading the system's takes tens of milliseconds
// and some MiB, so contexts are shared by all who ask for the same while anyone holds one. Any thread. The error is for
// the reader of a configuration.
std::expected<std::shared_ptr<asio::ssl::context>, std::string> make_tls_context(const TlsOptions& options);

// A layer that will verify that the peer is `host`, and tells it so by SNI. Null when OpenSSL is out of memory.
std::unique_ptr<TlsLayer> make_tls_layer(Socket& socket, asio::ssl::context& context, const std::string& host);

// What a failed handshake with the server at `origin` means; says so where the certificate was at fault.
TransportError describe_tls_failure(const ErrorCode& error, TlsLayer& layer, const Origin& origin);

}  // namespace fuseboard::net
