// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/acceptor.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>

namespace fuseboard::net {
namespace {

// What accept4 says about one connection, not about the listener (accept(2), "Error handling").
bool concerns_one_connection(int error) noexcept {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

Acceptor::Acceptor(Loop& loop, AsioAcceptor acceptor, std::weak_ptr<HttpServer::Impl> server)
    : LoopMember(loop), acceptor_(std::move(acceptor)), server_(std::move(server)) {}

void Acceptor::arm() {
  if (!acceptor_) return;
  acceptor_->async_wait(AsioAcceptor::wait_read, [self = Ref<Acceptor>(this)](const ErrorCode& error) {
    if (!error) self->accept_waiting();
  });
}

void Acceptor::accept_waiting() {
  // A burst must not keep the loop from its connections.
  static constexpr int kBurst = 64;
  const std::shared_ptr<HttpServer::Impl> server = server_.lock();
  if (server == nullptr) return;
  for (int i = 0; i < kBurst && acceptor_; ++i) {
    const int descriptor = ::accept4(acceptor_->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      server->admit(descriptor);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (concerns_one_connection(errno)) continue;
    set_due(saturating_add(loop().now(), kRest));
    return;
  }
  arm();
}

void Acceptor::accept_rest_and_close() {
  const std::shared_ptr<HttpServer::Impl> server = server_.lock();
  if (server == nullptr || !acceptor_) return;
  // From here on the kernel drops new handshakes (their callers are refused at the next try, after the close), so the
  // queue only shrinks and an empty one stays empty.
  sock_filter drop_all = {.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program = {.len = 1, .filter = &drop_all};
  ::setsockopt(acceptor_->native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
  while (true) {
    const int descriptor = ::accept4(acceptor_->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      server->admit(descriptor);
    } else if (!concerns_one_connection(errno)) {
      break;
    }
  }
  close();
}

}  // namespace fuseboard::net
