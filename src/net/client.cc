// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/client.h"

#include "net/client_call.h"
#include "net/tls.h"

namespace fuseboard::net {

std::string_view name(TransportError::Kind kind) noexcept {
  switch (kind) {
    case TransportError::resolve:
      return "resolve";
    case TransportError::connect_refused:
      return "connect_refused";
    case TransportError::connect_timeout:
      return "connect_timeout";
    case TransportError::connect_failed:
      return "connect_failed";
    case TransportError::tls:
      return "tls";
    case TransportError::tls_certificate:
      return "tls_certificate";
    case TransportError::reset:
      return "reset";
    case TransportError::closed_early:
      return "closed_early";
    case TransportError::truncated:
      return "truncated";
    case TransportError::head_timeout:
      return "head_timeout";
    case TransportError::body_timeout:
      return "body_timeout";
    case TransportError::malformed:
      return "malformed";
    case TransportError::too_large:
      return "too_large";
    case TransportError::no_memory:
      return "no_memory";
    case TransportError::cancelled:
      return "cancelled";
  }
  return "unknown";
}

Problems ClientOptions::validate() const {
  Validator v;
  v.in_range("max_head", max_head, std::size_t{1024}, std::size_t{16} << 20U);
  v.in_range("max_headers", max_headers, std::size_t{1}, std::size_t{10'000});
  v.in_range("max_idle_per_origin", max_idle_per_origin, std::size_t{0}, std::size_t{100'000});
  v.in_range("max_idle", max_idle, std::size_t{0}, std::size_t{1'000'000});
  v.in_range("idle_timeout", idle_timeout, std::chrono::milliseconds(1), std::chrono::hours(24));
  return std::move(v).take();
}

ClientExchange::ClientExchange(Ref<ClientCall> call) noexcept : call_(std::move(call)) {}
ClientExchange::ClientExchange(ClientExchange&&) noexcept = default;

ClientExchange& ClientExchange::operator=(ClientExchange&& other) noexcept {
  if (this != &other) {
    if (call_) call_->abandon();
    call_ = std::move(other.call_);
  }
  return *this;
}

ClientExchange::~ClientExchange() {
  if (call_) call_->abandon();
}

Task<std::expected<ResponseHead, TransportError>> ClientExchange::send(const RequestHead& head, BodyPieces body,
                                                                       SendDeadlines deadlines) {
  return ClientCall::send(call_, head, body, deadlines);
}
Task<std::expected<std::string_view, TransportError>> ClientExchange::read_some(TimePoint by) {
  return ClientCall::read_some(call_, by);
}
Task<std::expected<std::string, TransportError>> ClientExchange::read_all(std::size_t max_bytes, TimePoint by,
                                                                          BodyMemory::Share* share) {
  std::string body;
  auto read = co_await ClientCall::read_rest(call_, body, max_bytes, by, share);
  if (!read) co_return std::unexpected(std::move(read.error()));
  co_return body;
}
Task<std::expected<void, TransportError>> ClientExchange::read_rest(std::string& body, std::size_t max_bytes,
                                                                    TimePoint by, BodyMemory::Share* share) {
  return ClientCall::read_rest(call_, body, max_bytes, by, share);
}
void ClientExchange::cancel() noexcept {
  if (call_) call_->cancel();
}
bool ClientExchange::reused_connection() const noexcept { return call_->reused_connection(); }

HttpClient::HttpClient(Loop& loop, ClientOptions options) {
  Problems problems = options.validate();
  std::shared_ptr<asio::ssl::context> tls;
  // A file of one's own is checked now; the system's authorities are loaded when a server first asks for TLS.
  if (!options.tls.ca_file.empty()) {
    auto loaded = make_tls_context(options.tls);
    if (!loaded) problems.push_back({.field = "tls.ca_file", .value = options.tls.ca_file, .allowed = loaded.error()});
    tls = std::move(loaded).value_or(nullptr);
  }
  throw_if_invalid(std::move(problems));
  if (options.resolver == nullptr) options.resolver = std::make_shared<Resolver>();
  pool_ = Ref(new ClientPool(loop, std::move(options), std::move(tls)));
}

HttpClient::~HttpClient() { pool_->close_all(); }

ClientExchange HttpClient::exchange(const Origin& origin, Reuse reuse) {
  return ClientExchange(Ref(new ClientCall(pool_, origin, reuse)));
}

std::size_t HttpClient::idle_connections() const noexcept { return pool_->idle; }
Loop& HttpClient::loop() noexcept { return pool_->loop; }

}  // namespace fuseboard::net
