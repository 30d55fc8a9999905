// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/stale_connection.h"

namespace fuseboard::gateway {
namespace {

// What a server that knows nothing of a connection needs to say so: one round trip, even around the world.
constexpr Duration kDiesAtOnce = std::chrono::milliseconds(250);

}  // namespace

// A kept connection that breaks at once was most likely lost while nobody used it: to a restart, to a router that
// forgot it, or to a server that had enough of waiting and may have said so before it closed (408, RFC 9110 15.5.9).
// That is no evidence against the target, and there may be a pool full of them, so the attempt goes on over a fresh
// one. One that breaks later has carried the request to a server that read it, and perhaps began to work on it: that is
// the target's failure, for the retry's rules to judge.
bool was_stale(const std::expected<net::ResponseHead, net::TransportError>& head, Duration after) noexcept {
  if (after > kDiesAtOnce) return false;
  if (head) return head->status == 408 && head->headers.has_token("connection", "close");
  return head.error().kind == net::TransportError::reset || head.error().kind == net::TransportError::closed_early;
}

}  // namespace fuseboard::gateway
