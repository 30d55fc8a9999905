// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What it means when no complete answer came.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/outcome.h"

namespace fuseboard {

enum class TransportFault : std::uint8_t {
  resolve,          // the name has no address
  connect_refused,  // nobody listens there
  connect_timeout,
  connect_failed,         // no route, network down
  tls,                    // the handshake failed
  tls_certificate,        // the peer's certificate is not trusted
  reset,                  // the peer reset the connection
  closed_early,           // closed before a response head
  truncated,              // closed inside a response body
  head_timeout,           // no response head in time
  first_content_timeout,  // no content in time
  idle_timeout,           // content began and stopped
  total_timeout,          // the whole answer took too long
  malformed,              // bytes that are not what the protocol says
  local_exhaustion,       // our own process has no descriptors, ports or memory left
  cancelled,              // somebody on our side stopped it
};
std::string_view name(TransportFault fault) noexcept;

Failure classify_transport(TransportFault fault) noexcept;

// The verdict on a stream that has ended [STR-2]; nullopt: it was answered completely. `complete`: the dialect's
// terminal event came, or a finish reason for every answer that had begun. `in_band_error`: what classify_http made of
// an error event; it wins over a terminal event that follows it.
std::optional<Failure> classify_stream_end(bool complete, const std::optional<Failure>& in_band_error) noexcept;

}  // namespace fuseboard
