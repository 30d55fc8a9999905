// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: one connection of a server and the life of the requests on it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/connection.h"
#include "net/message_parser.h"
#include "net/server_impl.h"
#include "net/wire.h"

namespace fuseboard::net {

class ServerConnection final : public Connection {
 public:
  ServerConnection(Loop& loop, Socket socket, std::shared_ptr<HttpServer::Impl> server);

  // The connection's life, from its first byte to its end.
  static Task<void> serve(Ref<ServerConnection> self);
  // The life of one too many: 503 and away.
  static Task<void> turn_away(Ref<ServerConnection> self);

  // Busy: ends after the answer. Between requests: ends now, unless a request is waiting to be read. Not asked anything
  // yet: its caller has connected to ask, so it has kDrainGrace for that.
  void begin_drain();
  static constexpr Duration kDrainGrace = std::chrono::seconds(1);
  // Ends now; a handler at work hears that its caller is gone.
  void cut();

  // See ServerExchange.
  RequestHead& head() noexcept { return head_; }
  std::string_view peer_address() const noexcept { return peer_address_; }
  Task<std::expected<Body, BodyError>> read_body();
  Task<bool> respond(ResponseHead head, std::string body);
  Task<bool> start(ResponseHead head);
  Task<bool> write(std::string_view bytes);
  Task<bool> finish();
  void abort();
  void on_gone(std::move_only_function<void()> gone);
  bool gone() const noexcept { return gone_; }
  bool started() const noexcept { return answer_ != Answer::none; }
  bool finished() const noexcept { return answer_ == Answer::complete || closed(); }

 private:
  enum class Answer : std::uint8_t { none, streaming, complete };
  static constexpr int kHeadReady = 0;
  static constexpr int kEnd = -1;

  ~ServerConnection() override;
  void on_unawaited_read() override;
  void on_read_end() override;
  void report_gone();
  void on_unawaited_deadline() override { close(); }

  bool idle_for_good();
  Task<int> next_head();  // kHeadReady, kEnd, or the status with which to refuse
  int check_head() const;
  Task<void> handle_request();
  Task<void> refuse(int status);
  Task<void> leave();

  std::optional<BodyError> collect(Body& body);
  Task<std::optional<BodyError>> rest_of_body(Body& body);
  std::size_t wanted_room(const Body& body) const;
  std::optional<BodyError> take_more(Body& body);
  bool request_read() const noexcept { return body_read_ || parser_->is_done(); }
  bool body_complete();
  bool expects_continue() const noexcept;

  bool lost() const noexcept { return gone_ || closed(); }
  Framing begin_answer(const ResponseHead& head, Framing::Kind kind, std::size_t size);
  Task<bool> send(Pieces out);

  const std::shared_ptr<HttpServer::Impl> server_;
  ServerShare& share_;
  ConnectionLink link_;
  std::string peer_address_;

  RequestHead head_;
  std::optional<MessageParser<true>> parser_;
  std::string out_;  // the head or chunk header that is being sent
  std::move_only_function<void()> on_gone_;
  Answer answer_ = Answer::none;
  Framing framing_;
  bool fresh_ = true;        // no request has come yet
  bool in_request_ = false;  // between the end of a head and the end of its handler
  bool receiving_ = false;   // part of a head has been received
  bool gone_ = false;
  bool body_broken_ = false;
  bool body_read_ = false;  // to its end, past the parser
  bool must_close_ = false;
  bool is_head_request_ = false;
};

}  // namespace fuseboard::net
