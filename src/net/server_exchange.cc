// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/server.h"
#include "net/server_connection.h"

namespace fuseboard::net {

RequestHead& ServerExchange::head() noexcept { return connection_.head(); }
std::string_view ServerExchange::peer_address() const noexcept { return connection_.peer_address(); }
Loop& ServerExchange::loop() noexcept { return connection_.loop(); }
Task<std::expected<Body, BodyError>> ServerExchange::read_body() { return connection_.read_body(); }
Task<bool> ServerExchange::respond(ResponseHead head, std::string body) {
  return connection_.respond(std::move(head), std::move(body));
}
Task<bool> ServerExchange::start(ResponseHead head) { return connection_.start(std::move(head)); }
Task<bool> ServerExchange::write(std::string_view bytes) { return connection_.write(bytes); }
Task<bool> ServerExchange::finish() { return connection_.finish(); }
void ServerExchange::abort() { connection_.abort(); }
void ServerExchange::on_gone(std::move_only_function<void()> gone) { connection_.on_gone(std::move(gone)); }
bool ServerExchange::gone() const noexcept { return connection_.gone(); }
bool ServerExchange::started() const noexcept { return connection_.started(); }
bool ServerExchange::finished() const noexcept { return connection_.finished(); }

}  // namespace fuseboard::net
