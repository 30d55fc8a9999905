// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One call on its way: from the caller's request through the decision engine to upstreams and back.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuseboard/classify/transport.h"
#include "gateway/alarm.h"
#include "gateway/answer_stream.h"
#include "gateway/driver.h"
#include "gateway/error_response.h"
#include "gateway/header_policy.h"
#include "gateway/loop_context.h"
#include "gateway/model_call.h"
#include "gateway/running_calls.h"
#include "gateway/target_requests.h"
#include "net/server.h"

namespace fuseboard::gateway {

// Ends before the handler of its exchange does, and before its call goes. Loop thread only.
//
// A plain answer is read whole, judged, then handed on. A stream is held back until its first content; until then a
// retry, a hedge or another target costs the caller nothing [STR-4]. From then on its events are passed on as they
// arrive. Where it breaks off, another attempt goes on with it if it can [STR-5].
class Relay final : private AttemptSender, private RunningCall {
 public:
  Relay(LoopContext& loop_context, net::ServerExchange& exchange, const ModelCall& call);
  ~Relay() override;

  // Answers the caller. Ends when the answer is complete or the caller is gone.
  net::Task<void> run();

 private:
  struct InFlightAttempt;  // an attempt whose task runs
  struct Sending;          // what an attempt sends

  net::Task<void> attempt(Attempt attempt) override;
  void cancel(std::uint32_t attempt) override;
  void proceed_at(TimePoint time) override { alarm_.set(time); }
  void shut_down() override;

  // Upstream (relay.cc). A head that is given to be changed is the attempt's, and of no use to it afterwards.
  net::Task<std::expected<Sending, llm::RequestError>> prepare(const Attempt& attempt);
  void end_unsayable(InFlightAttempt& in_flight, const llm::RequestError& problem);
  net::Task<std::expected<net::ResponseHead, net::TransportError>> send(InFlightAttempt& in_flight, Sending& sending,
                                                                        TimePoint connect_by);
  bool was_stale(const InFlightAttempt& in_flight, TimePoint sent,
                 const std::expected<net::ResponseHead, net::TransportError>& head) const;
  net::Task<std::optional<std::string>> withdraw_question(InFlightAttempt& in_flight, Sending& sending,
                                                          std::expected<net::ResponseHead, net::TransportError>& head);
  net::Task<std::string> read_error(InFlightAttempt& in_flight, net::ResponseHead& head);
  void take_error(InFlightAttempt& in_flight, net::ResponseHead& head, std::string text, bool prefilled);
  net::Task<void> read_plain(InFlightAttempt& in_flight, net::ResponseHead& head, std::string begun = {});
  net::Task<void> take_plain(InFlightAttempt& in_flight, net::ResponseHead& head, std::string body);

  // Streams (relay_stream.cc).
  net::Task<void> read_streamed(InFlightAttempt& in_flight, net::ResponseHead& head, const Sending& sending);
  net::Task<void> relay_stream(InFlightAttempt& in_flight, net::ResponseHead& head, const Sending& sending,
                               std::string_view begun);
  AnswerStream make_stream(const InFlightAttempt& in_flight, const Sending& sending) const;
  net::Task<bool> hand_on(InFlightAttempt& in_flight, AnswerStream& stream, net::ResponseHead& head);
  net::Task<void> complete_stream(InFlightAttempt& in_flight, AnswerStream& stream, net::ResponseHead& head);
  void fail_stream(InFlightAttempt& in_flight, AnswerStream& stream, const AttemptReport& report);
  std::optional<StreamRecovery> recovery() const;
  bool may_prefill(std::uint32_t target) const;
  net::Task<void> break_off();
  net::Task<void> end_stream_with(std::string_view why);
  void observe(const InFlightAttempt& in_flight);

  // Answers and reports (relay.cc).
  net::Task<void> answer_failure();
  net::Task<void> answer_shut_down();
  net::ResponseHead answer_head(const InFlightAttempt& in_flight, net::ResponseHead&& upstream, bool streamed) const;
  void tell_own_limits(const CallRecord& record, net::Headers& headers) const;
  std::optional<ServerWindow> window_of(std::uint32_t target, const net::Headers& headers) const;
  void keep_error(const InFlightAttempt& in_flight, UpstreamError error);
  const Redactor& secrets_of(const InFlightAttempt& in_flight) const;
  const UpstreamError* telling_error() const noexcept;
  void end_filtered(InFlightAttempt& in_flight, UpstreamError answer, const llm::Usage& usage,
                    const llm::SeenOutput& seen);
  void end(const InFlightAttempt& in_flight, AttemptReport report);
  void end_broken(InFlightAttempt& in_flight, const net::TransportError& error);
  std::string cause_of_break(const InFlightAttempt& in_flight, const net::TransportError& error) const;
  llm::ErrorDetails words_of(const InFlightAttempt& in_flight, const net::ResponseHead& head, std::string_view body,
                             const Failure& failure) const;
  AttemptReport report_of(const net::TransportError& error) const;
  // What an answer means, by its head and its body: a user's rules, then ours.
  std::optional<Failure> judge(const net::ResponseHead& head, std::string_view body) const;
  config::Auth auth_of(std::uint32_t target) const;
  CallerHash caller() const;
  void remember_state(const InFlightAttempt& in_flight, std::string_view id);
  void caller_gone();
  ServedBy served_by(std::optional<std::uint32_t> target, std::string_view upstream_request_id) const noexcept;
  TimePoint now() const noexcept { return loop_context_.clock.now(); }
  TargetState& state_of(std::uint32_t target) const { return *driver_.execution().plan().targets()[target].state; }
  const Upstream& upstream(std::uint32_t target) const { return call_.route->upstreams[target]; }

  LoopContext& loop_context_;
  net::ServerExchange& exchange_;
  const ModelCall& call_;
  TargetRequests requests_;
  const std::shared_ptr<LoopWaker> waker_;
  Alarm alarm_;
  LoopDriver driver_;
  InFlightAttempt* attempts_in_flight_ = nullptr;  // the first of a list
  bool shut_down_ = false;
  std::optional<Answer> answer_;  // a plain answer to hand on
  net::BodyMemory::Share answer_memory_;
  Delivered delivered_;
  std::string error_event_;            // the upstream's own, of the stream that broke off last
  std::uint64_t refused_prefill_ = 0;  // by target: what it said in this call
  // The first and the latest error answer: the telling one is among them.
  std::optional<UpstreamError> first_error_;
  std::optional<UpstreamError> last_error_;
};

}  // namespace fuseboard::gateway
