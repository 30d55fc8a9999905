// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How a client connection comes to be.
#include <netinet/in.h>

#include <boost/asio/ip/address.hpp>
#include <utility>

#include "net/client_connection.h"
#include "net/tls.h"

namespace fuseboard::net {
namespace {

int system_error(const ErrorCode& error) noexcept {
  return error.category() == boost::system::system_category() ? error.value() : 0;
}

TransportError::Kind connect_failure(const ErrorCode& error) noexcept {
  if (error == asio::error::connection_refused) return TransportError::connect_refused;
  if (error == asio::error::timed_out) return TransportError::connect_timeout;
  return TransportError::connect_failed;
}

}  // namespace

// Waits for the step's own handler; a deadline closes the socket, which ends the step, so no handler is left behind.
Task<void> ClientConnection::step_done() {
  while (step_pending_ && !closed() && !expired()) co_await event();
  if (!step_pending_) co_return;
  if (lookup_) co_return;  // a name server cannot be hurried; its answer will find nobody
  ErrorCode ignored;
  if (!closed()) socket().close(ignored);
  while (step_pending_) co_await event();
}

TransportError ClientConnection::give_up(std::string message) const {
  if (closed()) return {.kind = TransportError::cancelled, .message = "cancelled while connecting"};
  return {.kind = TransportError::connect_timeout, .message = std::move(message)};
}

std::expected<std::vector<Tcp::endpoint>, TransportError> ClientConnection::endpoints_of(
    const NameAnswer& answer) const {
  if (!answer.error.empty()) {
    return std::unexpected(
        TransportError{.kind = TransportError::resolve, .ours = answer.ours, .message = answer.error});
  }
  std::vector<Tcp::endpoint> endpoints;
  for (const asio::ip::address& address : answer.addresses) endpoints.emplace_back(address, origin_.port);
  return endpoints;
}

Task<std::expected<std::vector<Tcp::endpoint>, TransportError>> ClientConnection::resolve() {
  ErrorCode not_an_address;
  const auto address = asio::ip::make_address(origin_.host, not_an_address);
  if (!not_an_address) co_return std::vector{Tcp::endpoint(address, origin_.port)};
  if (const auto known = resolver_.known(origin_.host)) co_return endpoints_of(*known);
  step_pending_ = true;
  lookup_ = resolver_.look_up(loop(), origin_.host, [self = Ref<ClientConnection>(this)](const NameAnswer& answer) {
    self->answer_ = answer;
    self->step_pending_ = false;
    self->wake();
  });
  co_await step_done();
  const bool in_vain = step_pending_ || closed();
  const bool waited_for_others = in_vain && lookup_->waits_for_others();
  lookup_.reset();
  step_pending_ = false;
  if (in_vain) {
    TransportError error = give_up("looking up " + origin_.host + " took too long");
    if (waited_for_others && error.kind == TransportError::connect_timeout) {
      error.ours = true;
      error.message = "too many names are being looked up, so that of " + origin_.host + " was not";
    }
    co_return std::unexpected(std::move(error));
  }
  co_return endpoints_of(std::exchange(answer_, {}));
}

Task<ErrorCode> ClientConnection::try_endpoint(const Tcp::endpoint& endpoint) {
  ErrorCode error;
  socket().open(endpoint.protocol(), error);
  if (!error) socket().non_blocking(true, error);
  if (!error) socket().set_option(Tcp::no_delay(true), error);
  if (error) co_return error;
  step_pending_ = true;
  socket().async_connect(endpoint, [self = Ref<ClientConnection>(this)](const ErrorCode& result) {
    self->step_error_ = result;
    self->step_pending_ = false;
    self->wake();
  });
  co_await step_done();
  if (expired()) co_return asio::error::timed_out;
  if (step_error_ && !closed()) socket().close(error);
  co_return step_error_;
}

Task<std::expected<void, TransportError>> ClientConnection::shake_hands(asio::ssl::context& context) {
  auto layer = make_tls_layer(socket(), context, origin_.host);
  if (layer == nullptr)
    co_return std::unexpected(TransportError{.kind = TransportError::tls, .message = "TLS cannot be set up"});
  set_tls(std::move(layer));
  step_pending_ = true;
  tls()->stream.async_handshake(asio::ssl::stream_base::client,
                                [self = Ref<ClientConnection>(this)](const ErrorCode& error) {
                                  self->step_error_ = error;
                                  self->step_pending_ = false;
                                  self->wake();
                                });
  co_await step_done();
  if (closed() || expired())
    co_return std::unexpected(give_up("the TLS handshake with " + origin_.host + " took too long"));
  if (step_error_) co_return std::unexpected(describe_tls_failure(step_error_, *tls(), origin_));
  co_return std::expected<void, TransportError>();
}

Task<std::expected<void, TransportError>> ClientConnection::connect(asio::ssl::context* tls_context, TimePoint by) {
  expect_by(by);
  const auto endpoints = co_await resolve();
  if (!endpoints) co_return std::unexpected(endpoints.error());
  ErrorCode last;
  for (std::size_t i = 0; i < endpoints->size(); ++i) {
    const TimePoint now = loop().now();
    const auto left = static_cast<std::int64_t>(endpoints->size() - i);
    expect_by(by == kNever ? kNever : saturating_add(now, elapsed(now, by) / left));
    last = co_await try_endpoint((*endpoints)[i]);
    if (closed()) co_return std::unexpected(give_up({}));
    if (!last) break;
  }
  if (last) {
    // Its addresses may have changed.
    resolver_.forget(origin_.host);
    co_return std::unexpected(TransportError{.kind = connect_failure(last),
                                             .sys_errno = system_error(last),
                                             .message = "connecting to " + to_text(origin_) + ": " + last.message()});
  }
  if (tls_context != nullptr) {
    expect_by(by);
    const auto secure = co_await shake_hands(*tls_context);
    if (!secure) co_return std::unexpected(secure.error());
  }
  expect_nothing();
  co_return std::expected<void, TransportError>();
}

}  // namespace fuseboard::net
