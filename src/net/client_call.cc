// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/client_call.h"

#include <boost/asio/ssl/error.hpp>

#include "net/tls.h"
#include "net/wire.h"

namespace fuseboard::net {
namespace {

constexpr std::size_t kUsualHeaders = 24;
constexpr std::size_t kMaxKept = std::size_t{64} << 10;

bool method_has_body(std::string_view method) noexcept {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

// The peer said that it will send no more, or left without saying so in TLS's terms.
bool is_end(const ErrorCode& error) noexcept {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

std::string describe(TransportError::Kind kind) {
  switch (kind) {
    case TransportError::closed_early:
      return "the server closed the connection before its response";
    case TransportError::truncated:
      return "the server closed the connection before the end of its response";
    case TransportError::head_timeout:
      return "the server took too long to respond";
    case TransportError::body_timeout:
      return "the server took too long to go on with its response";
    case TransportError::malformed:
      return "the server's response is not HTTP/1.1";
    case TransportError::too_large:
      return "the server's response is larger than allowed";
    case TransportError::no_memory:
      return "there is no memory for the response";
    case TransportError::cancelled:
      return "cancelled";
    default:
      return std::string(name(kind));
  }
}

}  // namespace

TransportError ClientCall::fail(TransportError error) {
  error.request_may_have_run = connection_ && connection_->sent_anything;
  state_ = State::failed;
  if (connection_) connection_->close();
  return error;
}

TransportError ClientCall::fail(TransportError::Kind kind, std::string message) {
  return fail({.kind = kind, .message = std::move(message)});
}

void ClientCall::cancel() noexcept {
  cancelled_ = true;
  if (connection_ && state_ != State::complete) connection_->close();
}

// Why waiting on is of no use; nothing when it is.
std::optional<TransportError> ClientCall::why_not(TransportError::Kind at_end, TransportError::Kind on_timeout) const {
  const ClientConnection& connection = *connection_;
  const auto because = [](TransportError::Kind kind) {
    return TransportError{.kind = kind, .message = describe(kind)};
  };
  if (cancelled_ || connection.closed()) return because(TransportError::cancelled);
  if (const ErrorCode& error = connection.read_error()) {
    if (is_end(error)) return because(at_end);
    if (error.category() == asio::error::get_ssl_category()) {
      return TransportError{.kind = TransportError::tls, .message = "TLS: " + error.message()};
    }
    return TransportError{.kind = TransportError::reset, .sys_errno = error.value(), .message = error.message()};
  }
  if (connection.expired()) return because(on_timeout);
  return std::nullopt;
}

bool ClientCall::take_idle_connection() {
  if (reuse_ == Reuse::never) return false;
  connection_ = pool_->take(origin_, reuse_ == Reuse::checked);
  reused_ = static_cast<bool>(connection_);
  return reused_;
}

Task<std::expected<void, TransportError>> ClientCall::connect(TimePoint by) {
  const std::size_t buffered = std::max(pool_->options.max_head, ReadBuffer::kBulk);
  if (origin_.tls && pool_->tls_context == nullptr) {
    auto loaded = make_tls_context(pool_->options.tls);
    if (!loaded) co_return std::unexpected(TransportError{.kind = TransportError::tls, .message = loaded.error()});
    pool_->tls_context = *std::move(loaded);
  }
  connection_ = Ref(new ClientConnection(pool_->loop, *pool_->options.resolver, origin_, buffered));
  co_return co_await connection_->connect(origin_.tls ? pool_->tls_context.get() : nullptr, by);
}

void ClientCall::expect_head() {
  parser_.emplace(head_, HeadLimits{.bytes = pool_->options.max_head, .headers = pool_->options.max_headers});
  if (head_request_) parser_->skip(true);
}

// Looks at what has been received, skipping interim responses (RFC 9110 15.2). `no`: head_error_ says why.
ClientCall::Ready ClientCall::head_ready() {
  while (true) {
    switch (parser_->parse_head(connection_->in())) {
      case ParseStep::done:
        break;
      case ParseStep::need_more:
        return Ready::not_yet;
      case ParseStep::malformed:
        head_error_ = {.kind = TransportError::malformed, .message = describe(TransportError::malformed)};
        return Ready::no;
      case ParseStep::too_large:
        head_error_ = {.kind = TransportError::too_large,
                       .message = "the server's response head is larger than allowed"};
        return Ready::no;
    }
    const bool interim = head_.status >= 100 && head_.status < 200 && head_.status != 101;
    if (!interim) return Ready::yes;
    expect_head();
  }
}

// What the server has to say matters more than that it did not listen to the end: a response ends the sending, and
// where sending fails there may still be one.
Task<std::expected<ResponseHead, TransportError>> ClientCall::send(Self self, const RequestHead& head, BodyPieces body,
                                                                   SendDeadlines deadlines) {
  ClientCall& me = *self;
  check_invariant(me.state_ == State::fresh, "an exchange sends one request");
  me.state_ = State::sending;
  if (me.cancelled_ || me.pool_->loop.stopping())
    co_return std::unexpected(me.fail(TransportError::cancelled, "cancelled"));
  if (!is_token(head.method))
    co_return std::unexpected(me.fail(TransportError::malformed, "the method is not a token"));
  if (!me.take_idle_connection()) {
    if (auto connected = co_await me.connect(deadlines.connect_by); !connected) {
      co_return std::unexpected(me.fail(std::move(connected.error())));
    }
  }
  ClientConnection& connection = *me.connection_;
  me.head_request_ = head.method == "HEAD";
  me.head_.headers.reserve(kUsualHeaders, kUsualHeadBytes);
  me.expect_head();
  connection.expect_by(deadlines.head_by);
  const bool with_length = body.size() > 0 || method_has_body(head.method);
  // The thread writes one head at a time; what of it does not leave at once is kept here.
  thread_local std::string written;
  written.clear();
  append_request_head(written, head, me.origin_,
                      {.kind = with_length ? Framing::length : Framing::no_body, .size = body.size()});
  Pieces out(written, body.parts[0], body.parts[1], body.parts[2]);
  const std::size_t total = out.size();
  connection.write_some(out);
  const std::string rest(out.parts()[0]);
  out = Pieces(rest, out.parts()[1], out.parts()[2], out.parts()[3]);
  if (written.capacity() > kMaxKept) std::string().swap(written);
  while (true) {
    if (out.size() < total) connection.sent_anything = true;
    const Ready response = me.head_ready();
    if (response == Ready::no) co_return std::unexpected(me.fail(*std::move(me.head_error_)));
    if (response == Ready::yes) break;
    if (auto error = me.why_not(TransportError::closed_early, TransportError::head_timeout)) {
      co_return std::unexpected(me.fail(*std::move(error)));
    }
    connection.arm_read();
    co_await connection.event();
    connection.write_some(out);
  }
  connection.expect_nothing();
  me.sent_all_ = out.empty() && connection.written() && !connection.write_error();
  me.state_ = State::body;
  co_return std::move(me.head_);
}

void ClientCall::complete() {
  state_ = State::complete;
  ClientConnection& connection = *connection_;
  connection.expect_nothing();
  const bool reusable = sent_all_ && !connection.closed() && !connection.read_error() && connection.in().empty() &&
                        parser_->keep_alive() && head_.status != 101;
  if (reusable) {
    pool_->put(std::move(connection_));
  } else {
    connection.close();
  }
  connection_ = {};
}

// What can be handed out without waiting; empty with state_ still `body`: nothing yet.
std::expected<std::string_view, TransportError> ClientCall::ready_body() {
  if (state_ == State::complete) return std::string_view();
  if (body_error_) return std::unexpected(fail(*body_error_, describe(*body_error_)));
  if (state_ != State::body)
    return std::unexpected(fail(TransportError::cancelled, "the exchange has no response to read"));
  if (cancelled_) return std::unexpected(fail(TransportError::cancelled, "cancelled"));
  std::string_view piece;
  const ParseStep step = parser_->next_body(connection_->in(), piece);
  if (step == ParseStep::malformed || step == ParseStep::too_large) body_error_ = TransportError::malformed;
  if (!piece.empty()) return piece;
  if (body_error_) return std::unexpected(fail(*body_error_, describe(*body_error_)));
  const bool ended_cleanly = connection_->read_error() == asio::error::eof && parser_->complete_at_end();
  if (step == ParseStep::done || ended_cleanly) complete();
  return std::string_view();
}

Task<std::expected<std::string_view, TransportError>> ClientCall::read_some(Self self, TimePoint by) {
  ClientCall& me = *self;
  bool armed = false;
  while (true) {
    auto piece = me.ready_body();
    if (!piece || !piece->empty() || me.state_ == State::complete) {
      if (armed && me.connection_) me.connection_->expect_nothing();
      co_return piece;
    }
    ClientConnection& connection = *me.connection_;
    if (!armed) connection.expect_by(by);
    armed = true;
    if (auto error = me.why_not(TransportError::truncated, TransportError::body_timeout)) {
      co_return std::unexpected(me.fail(*std::move(error)));
    }
    if (!connection.arm_read(Connection::Waiting::long_)) {  // a chunk header or trailer that fills the buffer
      me.body_error_ = TransportError::malformed;
      continue;
    }
    co_await connection.event();
  }
}

Task<std::expected<void, TransportError>> ClientCall::read_rest(Self self, std::string& body, std::size_t max_bytes,
                                                                TimePoint by, BodyMemory::Share* share) {
  ClientCall& me = *self;
  if (me.state_ == State::body && me.parser_->content_length()) {
    // Pages that nothing is written to cost nothing; moving what has come each time it doubles does.
    body.reserve(std::min<std::size_t>(*me.parser_->content_length(), max_bytes));
  }
  while (true) {
    auto piece = me.ready_body();
    if (piece && piece->empty() && me.state_ == State::body) piece = co_await read_some(self, by);
    if (!piece) co_return std::unexpected(std::move(piece.error()));
    if (piece->empty()) co_return std::expected<void, TransportError>();
    if (piece->size() > max_bytes - std::min(body.size(), max_bytes)) {
      co_return std::unexpected(me.fail(TransportError::too_large, describe(TransportError::too_large)));
    }
    if (share != nullptr && !share->try_grow(body.size() + piece->size())) {
      const TimePoint until = saturating_add(me.pool_->loop.now(), ClientExchange::kMemoryWait);
      if (!co_await share->grow(me.pool_->loop, body.size() + piece->size(), until)) {
        co_return std::unexpected(me.fail(TransportError::no_memory, describe(TransportError::no_memory)));
      }
    }
    body.append(*piece);
  }
}

}  // namespace fuseboard::net
