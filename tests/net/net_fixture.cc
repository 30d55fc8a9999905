// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "tests/net/net_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace fuseboard::net::testing {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool ready(int descriptor, short events) {
  pollfd entry{.fd = descriptor, .events = events, .revents = 0};
  const int count = ::poll(&entry, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  EXPECT_EQ(count, 1) << "the peer kept us waiting";
  return count == 1;
}

}  // namespace

Task<AnswerOrError> fetch(HttpClient& client, Origin origin, RequestHead head, std::string body) {
  const TimePoint by = saturating_add(client.loop().now(), kPatience);
  ClientExchange exchange = client.exchange(origin);
  auto response = co_await exchange.send(head, body, {.connect_by = by, .head_by = by});
  if (!response) co_return std::unexpected(response.error());
  auto text = co_await exchange.read_all(std::size_t{1} << 28U, by);
  if (!text) co_return std::unexpected(text.error());
  co_return Answer{.head = *std::move(response), .body = *std::move(text), .reused = exchange.reused_connection()};
}

AnswerOrError fetch(Caller& caller, const Origin& origin, RequestHead head, std::string body) {
  return caller.run([&](HttpClient& client) { return fetch(client, origin, std::move(head), std::move(body)); });
}

RawSocket RawSocket::connect(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return RawSocket(descriptor);
}

bool RawSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawSocket::receive() {
  if (!ready(descriptor_, POLLIN)) return false;
  std::array<char, 65536> space;
  const ssize_t got = ::recv(descriptor_, space.data(), space.size(), 0);
  if (got <= 0) return false;
  unread_.append(space.data(), static_cast<std::size_t>(got));
  return true;
}

std::string RawSocket::read_until(std::string_view mark) {
  std::size_t at = unread_.find(mark);
  while (at == unread_.npos) {
    const std::size_t seen = unread_.size() < mark.size() ? 0 : unread_.size() - mark.size();
    if (!receive()) break;
    at = unread_.find(mark, seen);
  }
  const std::size_t end = at == unread_.npos ? unread_.size() : at + mark.size();
  std::string text = unread_.substr(0, end);
  unread_.erase(0, end);
  return text;
}

std::string RawSocket::read_bytes(std::size_t n) {
  while (unread_.size() < n && receive()) {
  }
  std::string text = unread_.substr(0, n);
  unread_.erase(0, text.size());
  return text;
}

std::string RawSocket::read_to_end() {
  while (receive()) {
  }
  return std::exchange(unread_, {});
}

bool RawSocket::at_end() { return unread_.empty() && !receive(); }

void RawSocket::shut_down_sending() { ::shutdown(descriptor_, SHUT_WR); }

void RawSocket::reset() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close();
}

void RawSocket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

RawServer::RawServer() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(descriptor_, 64), 0);
  EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
}

RawServer::~RawServer() { close(); }

RawSocket RawServer::accept() {
  ready(descriptor_, POLLIN);
  return RawSocket(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC));
}

void RawServer::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace fuseboard::net::testing
