// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One chat-completions call on its way: from the caller's request through the decision engine to upstreams and back.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/classify/transport.h"
#include "fuseboard/pipeline/execution.h"
#include "gateway/driver.h"
#include "gateway/heads.h"
#include "gateway/verdict_answer.h"
#include "gateway/worker.h"
#include "llm/request.h"
#include "llm/stream.h"
#include "net/server.h"
#include "net/sse.h"

namespace fuseboard::gateway {

// What the relay needs to know of a request that has been read and checked.
struct ChatCall {
  std::shared_ptr<const Route> route;
  llm::ChatRequest request;
  std::string body;
  std::string request_id;
  CallOptions options;
};

// Lives as long as the handler of its exchange. Loop thread only.
//
// A plain answer is read whole, judged, then handed on. A stream is held back until its first content; until then a
// retry or another target costs the caller nothing [STR-4]. From then on each event is passed on as it arrives, byte
// for byte.
class ChatRelay final : private CallHands {
 public:
  ChatRelay(Worker& worker, net::ServerExchange& exchange, ChatCall call);
  ~ChatRelay() override;

  // Answers the caller. Ends when the answer is complete or the caller is gone.
  net::Task<void> run();

 private:
  class StreamState;

  net::Task<void> attempt(Attempt attempt) override;
  net::Task<void> wait_until(TimePoint time) override;

  net::Task<void> read_error(const Attempt& attempt, net::ResponseHead head);
  net::Task<void> read_plain(const Attempt& attempt, net::ResponseHead head);
  net::Task<void> relay_stream(const Attempt& attempt, net::ResponseHead head);
  net::Task<bool> commit(StreamState& stream);
  net::Task<void> end_stream(StreamState& stream, std::optional<AttemptReport> failed);
  // Ends the attempt as refused by the provider's safety system, and keeps what it answered for the caller.
  void end_filtered(const Attempt& attempt, net::ResponseHead head, std::string body, const llm::Usage& usage);
  net::Task<void> drain_stream();
  net::Task<void> answer_failure();

  void keep_error(UpstreamError error);
  const UpstreamError* telling_error() const noexcept;
  bool was_stale(const Attempt& attempt, const net::TransportError& error) const;
  AttemptReport report_of(const net::TransportError& error) const;
  // What an answer means, by its head and its body: a user's rules, then ours.
  std::optional<Failure> judge(const net::ResponseHead& head, std::string_view body) const;
  void end_attempt(const AttemptReport& report);
  void caller_gone();
  ServedBy served_by() const noexcept;
  TimePoint now() const noexcept { return worker_.clock.now(); }
  net::HttpClient& client(const Upstream& upstream) noexcept { return *worker_.clients[upstream.provider]; }

  Worker& worker_;
  net::ServerExchange& exchange_;
  ChatCall call_;
  const std::shared_ptr<LoopWaker> waker_;
  Execution execution_;

  std::optional<net::ClientExchange> upstream_;  // of the attempt in flight
  std::optional<net::Timer> wait_;
  bool woken_ = false;            // what ended the wait
  std::uint32_t attempt_ = 0;     // in flight, or the last
  std::uint32_t target_ = 0;      // of that attempt
  std::optional<Answer> answer_;  // a plain answer to hand on
  // The first and the latest error answer: the telling one is among them.
  std::optional<UpstreamError> first_error_;
  std::optional<UpstreamError> last_error_;
};

}  // namespace fuseboard::gateway
