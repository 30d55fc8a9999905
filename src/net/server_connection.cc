// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/server_connection.h"

#include <boost/asio/socket_base.hpp>

namespace fuseboard::net {
namespace {

void bump(std::atomic<std::uint64_t>& counter) noexcept {
  // One writer: no read-modify-write is needed.
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void add(std::atomic<std::size_t>& counter, std::size_t difference) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + difference, std::memory_order_relaxed);
}

std::string describe(int status, const ServerOptions& options) {
  switch (status) {
    case 400:
      return "the request head is malformed";
    case 408:
      return "the request head did not arrive in time";
    case 431:
      return "the request head has more than " + std::to_string(options.max_head) + " bytes or " +
             std::to_string(options.max_headers) + " headers";
    case 500:
      return "the request was not answered";
    case 501:
      return "the transfer encoding is not supported";
    case 503:
      return "too many connections";
    default:
      return std::string(reason_phrase(status));
  }
}

// The target in a request line, as far as that has come.
std::string_view begun_target(std::string_view received) {
  const std::size_t begin = received.find(' ') + 1;  // npos + 1 is 0
  if (begin == 0) return {};
  return received.substr(begin, received.find_first_of(" \r\n", begin) - begin);
}

}  // namespace

ServerConnection::ServerConnection(Loop& loop, Socket socket, std::shared_ptr<HttpServer::Impl> server)
    : Connection(loop, std::move(socket), std::max(server->options.max_head, ReadBuffer::kBulk)),
      server_(std::move(server)),
      share_(server_->shares[loop.index()]),
      link_(*this) {
  link_.insert_before(share_.connections);
  ErrorCode error;
  const Tcp::endpoint peer = this->socket().remote_endpoint(error);
  if (!error) peer_address_ = peer.address().to_string();
}

ServerConnection::~ServerConnection() { server_->connection_ended(); }

Task<void> ServerConnection::serve(Ref<ServerConnection> self) {
  ServerConnection& me = *self;
  while (true) {
    const int verdict = co_await me.next_head();
    if (verdict == kEnd) break;
    if (verdict != kHeadReady) {
      co_await me.refuse(verdict);
      break;
    }
    co_await me.handle_request();
    if (me.must_close_ || me.lost()) break;
  }
  co_await me.leave();
}

Task<void> ServerConnection::turn_away(Ref<ServerConnection> self) {
  ServerConnection& me = *self;
  co_await me.refuse(503);
  co_await me.leave();
  me.server_->refusing.fetch_sub(1);
}

void ServerConnection::begin_drain() {
  if (in_request_ || receiving_) return;
  if (fresh_) {
    expect_by(saturating_add(loop().now(), kDrainGrace));
    return;
  }
  if (idle_for_good()) close();
}

// Whether a drain may end this connection between two requests. One that has arrived but was not read yet counts as
// accepted.
bool ServerConnection::idle_for_good() {
  if (!share_.draining || receiving_ || fresh_) return false;
  ErrorCode error;
  return socket().available(error) == 0 || error;
}

void ServerConnection::cut() {
  const Ref<ServerConnection> self(this);
  close();
  report_gone();
}

Task<int> ServerConnection::next_head() {
  const ServerOptions& options = server_->options;
  parser_.emplace(head_, HeadLimits{.bytes = options.max_head, .headers = options.max_headers});
  answer_ = Answer::none;
  receiving_ = false;
  body_broken_ = false;
  body_read_ = false;
  expect_by(saturating_add(loop().now(), share_.draining && fresh_ ? kDrainGrace : options.idle_timeout));
  while (true) {
    if (!in().empty()) {
      switch (parser_->parse_head(in())) {
        case ParseStep::done:
          expect_nothing();
          co_return check_head();
        case ParseStep::malformed:
          co_return 400;
        case ParseStep::too_large:
          co_return 431;
        case ParseStep::need_more:
          break;
      }
      if (!receiving_) expect_by(saturating_add(loop().now(), options.header_timeout));
      receiving_ = true;
    }
    if (closed() || read_error() || idle_for_good()) co_return kEnd;
    if (expired()) co_return receiving_ ? 408 : kEnd;
    if (!arm_read()) co_return 431;
    co_await event();
  }
}

// What Beast lets pass and a relay must not: ambiguous framing invites request smuggling (RFC 9112 6.1, 3.2).
int ServerConnection::check_head() const {
  if (read_error()) return kEnd;  // a caller that has left wants no answer [STR-6]
  if (parser_->transfer_encodings() > 0) {
    if (parser_->version() < 11) return 400;
    if (!parser_->chunked() || !equal_ignoring_case(head_.headers.get("transfer-encoding"), "chunked")) return 501;
  }
  std::size_t hosts = 0;
  for (const Header header : head_.headers) hosts += equal_ignoring_case(header.name, "host") ? 1 : 0;
  return hosts > 1 || (hosts == 0 && parser_->version() >= 11) ? 400 : kHeadReady;
}

Task<void> ServerConnection::handle_request() {
  in_request_ = true;
  fresh_ = false;
  is_head_request_ = head_.method == "HEAD";
  bump(share_.requests);
  add(share_.in_flight, 1);
  // To see the caller leave. Where a body is still to be read, its reader sees that.
  if (parser_->is_done()) watch();
  ServerExchange exchange(*this);
  bool threw = false;
  try {
    co_await server_->handler(exchange);
  } catch (...) {
    threw = true;
  }
  on_gone_ = nullptr;
  add(share_.in_flight, static_cast<std::size_t>(-1));
  if (threw) bump(share_.exceptions);
  if (answer_ == Answer::none && !lost()) {
    co_await refuse(500);
  } else if (answer_ == Answer::streaming) {
    abort();
  }
  in_request_ = false;
}

Task<void> ServerConnection::refuse(int status) {
  const ServerOptions& options = server_->options;
  const std::string message = describe(status, options);
  must_close_ = true;
  if (!in_request_) is_head_request_ = false;
  if (head_.target.empty()) head_.target = begun_target(in().view());  // of a head that did not come whole
  co_await respond({.status = status, .headers = {{"content-type", options.error_content_type}}},
                   options.error_body ? options.error_body(status, message, head_) : message + "\n");
}

// Closing with unread bytes would reset the connection, and the reset can overtake the answer. So the sending side is
// shut, what still comes is thrown away within bounds, and then the connection is closed (RFC 9112 9.6).
Task<void> ServerConnection::leave() {
  const bool unread = !closed() && !read_error() && (!parser_ || !request_read() || !in().empty());
  if (unread && answer_ == Answer::complete) {
    const ServerOptions& options = server_->options;
    ErrorCode error;
    socket().shutdown(Socket::shutdown_send, error);
    expect_by(saturating_add(loop().now(), options.linger_timeout));
    std::size_t dropped = 0;
    while (!error && !closed() && !read_error() && !expired()) {
      dropped += in().size();
      in().clear();
      if (dropped > options.linger_bytes) break;
      arm_read();
      co_await event();
    }
  }
  close();
}

void ServerConnection::on_unawaited_read() {
  // The handler is at work. What came is a body or the next request; keep watching while there is room.
  if (!read_error()) arm_read();
}

void ServerConnection::on_read_end() { report_gone(); }

void ServerConnection::report_gone() {
  if (!in_request_ || answer_ == Answer::complete || gone_) return;
  gone_ = true;
  if (auto callback = std::exchange(on_gone_, nullptr)) callback();
}

void ServerConnection::on_gone(std::move_only_function<void()> gone) {
  if (gone_) {
    gone();
  } else {
    on_gone_ = std::move(gone);
  }
}

void ServerConnection::abort() {
  if (finished()) return;
  // A reset where an end could be taken for an answer's: before its head, and where the end of the connection is the
  // end of the body.
  if (answer_ == Answer::none || framing_.kind == Framing::until_close) {
    ErrorCode ignored;
    socket().set_option(asio::socket_base::linger(true, 0), ignored);
  }
  answer_ = Answer::complete;
  close();
}

}  // namespace fuseboard::net
