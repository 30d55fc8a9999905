// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/client_pool.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace fuseboard::net {

Ref<ClientConnection> ClientPool::take(const Origin& origin, bool check) {
  const auto found = by_origin_.find(origin);
  while (found != by_origin_.end() && !found->second.empty()) {
    Ref<ClientConnection> connection = std::move(found->second.back());
    found->second.pop_back();
    --idle;
    if (connection->end_idle() && (!check || connection->is_silent())) return connection;
    connection->close();
  }
  return {};
}

void ClientPool::put(Ref<ClientConnection> connection) {
  if (closed_ || loop.stopping() || options.max_idle_per_origin == 0 || options.max_idle == 0) {
    connection->close();
    return;
  }
  // Lists of origins that are no longer used go when there are too many of them.
  if (by_origin_.size() > options.max_idle)
    std::erase_if(by_origin_, [](const auto& entry) { return entry.second.empty(); });
  Idle& list = by_origin_[connection->origin()];
  if (list.size() >= options.max_idle_per_origin) {
    list.front()->leave_pool();
  }
  if (idle >= options.max_idle) {
    connection->close();
    return;
  }
  connection->start_idle(*this, saturating_add(loop.now(), options.idle_timeout));
  list.push_back(std::move(connection));
  ++idle;
}

void ClientPool::forget(ClientConnection& connection) {
  const auto found = by_origin_.find(connection.origin());
  if (found == by_origin_.end()) return;
  idle -= std::erase_if(found->second, [&](const auto& entry) { return entry.get() == &connection; });
}

void ClientPool::close_all() {
  closed_ = true;
  for (auto& [origin, list] : by_origin_) {
    for (const Ref<ClientConnection>& connection : list) {
      connection->end_idle();
      connection->close();
    }
  }
  by_origin_.clear();
  idle = 0;
}

ClientConnection::ClientConnection(Loop& loop, Resolver& resolver, const Origin& origin, std::size_t most_buffered)
    : Connection(loop, Socket(loop.impl().context), most_buffered), resolver_(resolver), origin_(origin) {}

void ClientConnection::start_idle(ClientPool& pool, TimePoint until) {
  pool_ = &pool;
  sent_anything = false;
  shrink_buffer();
  expect_by(until);
  watch();
}

bool ClientConnection::end_idle() {
  pool_ = nullptr;
  expect_nothing();
  return !closed() && !read_error() && in().empty();
}

// What has come since the loop last looked, an end or bytes, shows as readable.
bool ClientConnection::is_silent() {
  char byte = 0;
  const ssize_t got = ::recv(socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void ClientConnection::leave_pool() {
  const Ref<ClientConnection> self(this);
  if (pool_ != nullptr) std::exchange(pool_, nullptr)->forget(*this);
  close();
}

// Between requests a server has nothing to say: an end, or an unasked 408, makes the connection useless.
void ClientConnection::on_unawaited_read() {
  if (pool_ != nullptr) leave_pool();
}

void ClientConnection::on_unawaited_deadline() { leave_pool(); }

}  // namespace fuseboard::net
