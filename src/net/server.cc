// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"

#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/socket_base.hpp>
#include <future>

#include "net/acceptor.h"
#include "net/server_connection.h"
#include "net/server_impl.h"

namespace fuseboard::net {
namespace {

// A descriptor on its way to its loop; closed if that loop has stopped.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }
  void release() noexcept { number_ = -1; }

 private:
  int number_;
};

std::expected<AsioAcceptor, std::string> open_acceptor(asio::io_context& context, const std::string& address,
                                                       std::uint16_t port) {
  const std::string place = (address.contains(':') ? "[" + address + "]" : address) + ":" + std::to_string(port);
  const auto failed = [&](const ErrorCode& error) {
    return std::unexpected(place + ": " +
                           (error == asio::error::address_in_use ? "address already in use" : error.message()));
  };
  ErrorCode error;
  const Tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
  if (error) return std::unexpected(place + ": not an IP address");
  AsioAcceptor acceptor(context);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed(error);
  return acceptor;
}

Ref<ServerConnection> adopt(Loop& loop, Descriptor descriptor, std::shared_ptr<HttpServer::Impl> server) {
  Socket socket(loop.impl().context);
  ErrorCode error;
  // The protocol matters for later opens alone; this socket is open.
  socket.assign(Tcp::v4(), descriptor.number(), error);
  if (!error) descriptor.release();
  if (!error) socket.non_blocking(true, error);
  if (!error) socket.set_option(Tcp::no_delay(true), error);
  return Ref<ServerConnection>(new ServerConnection(loop, std::move(socket), std::move(server)));
}

}  // namespace

TimePoint ServerOptions::body_due(TimePoint began, std::size_t received) const noexcept {
  const auto earned = std::chrono::duration<double>(static_cast<double>(received) / static_cast<double>(body_rate));
  return saturating_add(saturating_add(began, body_grace), std::chrono::duration_cast<Duration>(earned));
}

Problems ServerOptions::validate() const {
  Validator v;
  v.in_range("max_head", max_head, std::size_t{1024}, std::size_t{16} << 20U);
  v.in_range("max_headers", max_headers, std::size_t{1}, std::size_t{10'000});
  v.in_range("max_body", max_body, std::size_t{0}, std::size_t{4} << 30U);
  v.in_range("max_connections", max_connections, std::size_t{1}, std::size_t{1'000'000});
  v.in_range("header_timeout", header_timeout, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("body_timeout", body_timeout, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("body_grace", body_grace, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("body_rate", body_rate, std::size_t{1}, std::size_t{1} << 40U);
  v.in_range("body_memory_wait", body_memory_wait, Duration::zero(), std::chrono::hours(1));
  v.in_range("write_timeout", write_timeout, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("stream_write_timeout", stream_write_timeout, std::chrono::milliseconds(1), std::chrono::hours(1));
  v.in_range("idle_timeout", idle_timeout, std::chrono::milliseconds(1), std::chrono::hours(24));
  v.in_range("linger_timeout", linger_timeout, Duration::zero(), std::chrono::minutes(10));
  return std::move(v).take();
}

HttpServer::Impl::Impl(LoopGroup& group, ServerOptions given, Handler handle)
    : loops(group), options(std::move(given)), handler(std::move(handle)), shares(group.size()) {}

HttpServer::Impl::~Impl() = default;

void HttpServer::Impl::add_acceptor(Ref<Acceptor> acceptor) {
  if (draining.load() || loops.at(0).stopping()) {
    acceptor->close();
    return;
  }
  acceptor->arm();
  acceptors_.push_back(std::move(acceptor));
}

void HttpServer::Impl::admit(int number) {
  // Beyond the bound a caller is told so, but only so many at once: telling takes a descriptor too.
  static constexpr std::size_t kMaxRefusing = 64;
  Descriptor descriptor(number);
  const bool full = open.load() >= options.max_connections + refusing.load();
  if (full) {
    refused.fetch_add(1);
    if (refusing.load() >= kMaxRefusing) return;
    refusing.fetch_add(1);
  }
  open.fetch_add(1);
  Loop& loop = loops.at(next_loop_++ % loops.size());
  loop.post([self = shared_from_this(), &loop, full, taken = std::move(descriptor)]() mutable {
    auto connection = adopt(loop, std::move(taken), std::move(self));
    spawn(full ? ServerConnection::turn_away(std::move(connection)) : ServerConnection::serve(std::move(connection)));
  });
}

void HttpServer::Impl::connection_ended() {
  if (open.fetch_sub(1) == 1 && draining.load()) {
    loops.at(0).post([self = shared_from_this()] { self->finish_drain(); });
  }
}

void HttpServer::Impl::cut_all() {
  loops.at(0).post([self = shared_from_this()] {
    for (const Ref<Acceptor>& acceptor : std::exchange(self->acceptors_, {})) acceptor->close();
  });
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops.at(i).post([self = shared_from_this(), i] {
      // Held while they are cut: a handler that hears of it may end, and with it this connection or another.
      std::vector<Ref<ServerConnection>> connections;
      Link& ring = self->shares[i].connections;
      for (Link* link = ring.next(); link != &ring; link = link->next()) {
        connections.emplace_back(&static_cast<ConnectionLink*>(link)->owner);
      }
      for (const Ref<ServerConnection>& connection : connections) connection->cut();
    });
  }
}

void HttpServer::Impl::start_drain(Deadline deadline, std::move_only_function<void()> done) {
  drained_ = std::move(done);
  for (const Ref<Acceptor>& acceptor : std::exchange(acceptors_, {})) acceptor->accept_rest_and_close();
  for (std::size_t i = 0; i < loops.size(); ++i) {
    loops.at(i).post([self = shared_from_this(), i] {
      ServerShare& share = self->shares[i];
      share.draining = true;
      Link& ring = share.connections;
      for (Link* link = ring.next(); link != &ring; link = link->next()) {
        static_cast<ConnectionLink*>(link)->owner.begin_drain();
      }
    });
  }
  spawn(cut_after(deadline));
  finish_drain();
}

Task<void> HttpServer::Impl::cut_after(Deadline deadline) {
  const auto self = shared_from_this();
  drain_timer_.emplace(loops.at(0));
  if (co_await drain_timer_->wait_until(deadline.time())) cut_all();
}

void HttpServer::Impl::finish_drain() {
  if (open.load() > 0) return;
  drain_timer_.reset();  // ends cut_after
  if (auto done = std::exchange(drained_, nullptr)) done();
}

HttpServer::HttpServer(LoopGroup& loops, ServerOptions options, Handler handler) {
  throw_if_invalid(options.validate());
  impl_ = std::make_shared<Impl>(loops, std::move(options), std::move(handler));
}

HttpServer::~HttpServer() { impl_->cut_all(); }

std::expected<std::uint16_t, std::string> HttpServer::listen(const std::string& address, std::uint16_t port) {
  Loop& loop = impl_->loops.at(0);
  auto acceptor = open_acceptor(loop.impl().context, address, port);
  if (!acceptor) return std::unexpected(acceptor.error());
  ErrorCode error;
  const std::uint16_t bound = acceptor->local_endpoint(error).port();
  loop.post([impl = impl_, &loop, taken = *std::move(acceptor)]() mutable {
    impl->add_acceptor(Ref<Acceptor>(new Acceptor(loop, std::move(taken), impl)));
  });
  return bound;
}

bool HttpServer::has_address(const std::string& address) {
  asio::io_context context;
  ErrorCode error;
  const Tcp::endpoint endpoint(asio::ip::make_address(address, error), 0);
  AsioAcceptor probe(context);
  if (!error) probe.open(endpoint.protocol(), error);
  if (!error) probe.bind(endpoint, error);
  return !error;
}

void HttpServer::drain(Deadline deadline, std::move_only_function<void()> done) {
  impl_->draining.store(true);
  impl_->loops.at(0).post(
      [impl = impl_, deadline, done = std::move(done)]() mutable { impl->start_drain(deadline, std::move(done)); });
}

void HttpServer::drain_and_wait(Deadline deadline) {
  auto drained = std::make_shared<std::promise<void>>();
  auto future = drained->get_future();
  drain(deadline, [drained] { drained->set_value(); });
  future.wait();
}

HttpServer::Counters HttpServer::counters() const noexcept {
  Counters counters{.open_connections = impl_->open.load(), .refused_connections = impl_->refused.load()};
  for (const ServerShare& share : impl_->shares) {
    counters.requests_in_flight += share.in_flight.load(std::memory_order_relaxed);
    counters.requests += share.requests.load(std::memory_order_relaxed);
    counters.handler_exceptions += share.exceptions.load(std::memory_order_relaxed);
  }
  return counters;
}

}  // namespace fuseboard::net
