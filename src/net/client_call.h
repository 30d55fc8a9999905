// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: what a ClientExchange stands for.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/client.h"
#include "net/client_pool.h"
#include "net/message_parser.h"

namespace fuseboard::net {

// The coroutines hold the call, so that an exchange may be destroyed while one of them waits.
class ClientCall final : public RefCounted {
 public:
  ClientCall(Ref<ClientPool> pool, const Origin& origin, Reuse reuse)
      : pool_(std::move(pool)), origin_(origin), reuse_(reuse) {}

  using Self = Ref<ClientCall>;
  static Task<std::expected<ResponseHead, TransportError>> send(Self self, const RequestHead& head, BodyPieces body,
                                                                SendDeadlines deadlines);
  static Task<std::expected<std::string_view, TransportError>> read_some(Self self, TimePoint by);
  static Task<std::expected<void, TransportError>> read_rest(Self self, std::string& body, std::size_t max_bytes,
                                                             TimePoint by, BodyMemory::Share* share);
  void cancel() noexcept;
  // The exchange is gone.
  void abandon() noexcept {
    if (state_ != State::complete) cancel();
  }
  bool reused_connection() const noexcept { return reused_; }

 private:
  enum class State : std::uint8_t { fresh, sending, body, complete, failed };
  enum class Ready : std::uint8_t { yes, not_yet, no };

  bool take_idle_connection();
  Task<std::expected<void, TransportError>> connect(TimePoint by);
  void expect_head();
  Ready head_ready();
  std::expected<std::string_view, TransportError> ready_body();
  std::optional<TransportError> why_not(TransportError::Kind at_end, TransportError::Kind on_timeout) const;
  TransportError fail(TransportError::Kind kind, std::string message);
  TransportError fail(TransportError error);
  void complete();

  const Ref<ClientPool> pool_;
  const Origin origin_;
  const Reuse reuse_;
  Ref<ClientConnection> connection_;
  ResponseHead head_;
  std::optional<MessageParser<false>> parser_;
  std::optional<TransportError> head_error_;
  State state_ = State::fresh;
  bool reused_ = false;
  bool sent_all_ = false;
  bool cancelled_ = false;
  bool head_request_ = false;
  std::optional<TransportError::Kind> body_error_;
};

}  // namespace fuseboard::net
