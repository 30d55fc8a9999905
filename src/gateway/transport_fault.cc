// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/transport_fault.h"

#include <cerrno>

namespace fuseboard::gateway {
namespace {

// Our own shortage, not the target's [classify: local_exhaustion].
bool is_local_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL;
}

}  // namespace

TransportFault fault_of(const net::TransportError& error) noexcept {
  using Kind = net::TransportError::Kind;
  switch (error.kind) {
    case Kind::resolve:
      return TransportFault::resolve;
    case Kind::connect_refused:
      return TransportFault::connect_refused;
    case Kind::connect_timeout:
      return TransportFault::connect_timeout;
    case Kind::connect_failed:
      return is_local_exhaustion(error.sys_errno) ? TransportFault::local_exhaustion : TransportFault::connect_failed;
    case Kind::tls:
      return TransportFault::tls;
    case Kind::tls_certificate:
      return TransportFault::tls_certificate;
    case Kind::reset:
      return TransportFault::reset;
    case Kind::closed_early:
      return TransportFault::closed_early;
    case Kind::truncated:
      return TransportFault::truncated;
    case Kind::head_timeout:
      return TransportFault::head_timeout;
    case Kind::body_timeout:
      return TransportFault::total_timeout;
    case Kind::malformed:
      return TransportFault::malformed;
    case Kind::too_large:
      return TransportFault::malformed;
    case Kind::no_memory:
      return TransportFault::local_exhaustion;
    case Kind::cancelled:
      return TransportFault::cancelled;
  }
  return TransportFault::malformed;
}

bool was_connected(TransportFault fault) noexcept {
  switch (fault) {
    case TransportFault::resolve:
    case TransportFault::connect_refused:
    case TransportFault::connect_timeout:
    case TransportFault::connect_failed:
    case TransportFault::tls:
    case TransportFault::tls_certificate:
    case TransportFault::local_exhaustion:
      return false;
    default:
      return true;
  }
}

bool is_silence(TransportFault fault) noexcept {
  return fault == TransportFault::head_timeout || fault == TransportFault::first_content_timeout ||
         fault == TransportFault::idle_timeout || fault == TransportFault::total_timeout;
}

}  // namespace fuseboard::gateway
