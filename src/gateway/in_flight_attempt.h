// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One attempt whose task runs: how its request is sent, and what is told of its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/pipeline/step.h"
#include "gateway/exchange.h"
#include "gateway/redactor.h"
#include "net/client.h"

namespace fuseboard::gateway {

// Where an attempt goes.
struct UpstreamServer {
  const net::Origin& origin;
  const Redactor& secrets;
};

// What it sends there. All of it must hold until the sending ends.
struct UpstreamRequest {
  const net::RequestHead& head;
  net::BodyPieces body;
  std::size_t own_bytes;           // of the body: those that it does not share with the caller's
  net::BodyMemory::Share& memory;  // where these are accounted for
  TimePoint connect_by;
};

// Of its task's frame. Loop thread only.
class InFlightAttempt {
 public:
  // All that is given must outlive it.
  InFlightAttempt(ProtectedExchange& exchange, const Attempt& attempt, const UpstreamServer& server);
  InFlightAttempt(const InFlightAttempt&) = delete;
  InFlightAttempt& operator=(const InFlightAttempt&) = delete;

  const Attempt& attempt() const noexcept { return attempt_; }
  std::uint32_t number() const noexcept { return attempt_.number; }
  std::uint32_t target() const noexcept { return attempt_.target; }
  TimePoint started() const noexcept { return started_; }
  // False: nobody needs it any more. Its task ends, and need not say so.
  bool in_flight() const noexcept { return exchange_.execution().in_flight(attempt_.number); }

  // Sends the request, once more over a fresh connection where a kept one had died [RTY-6], and waits for the head of
  // its answer. May be called again when that is there.
  net::Task<std::expected<net::ResponseHead, net::TransportError>> send(UpstreamRequest request);
  // From then on, for what follows the head.
  net::ClientExchange& upstream() noexcept { return *upstream_; }
  // Its answer is complete, and the connection is whoever's this is given to.
  net::ClientExchange release_upstream();

  // The request that was sent names an account of its caller's: what is said of that account is nobody else's affair.
  void note_callers_account(bool names_one) noexcept { callers_account_ = names_one; }
  // What the answer says beside itself.
  void note_head(const net::ResponseHead& head, const std::optional<ServerWindow>& window);
  // Of its stream: malformed ones, which were left out [STR-7].
  void note_skipped_events(std::uint64_t events) noexcept { skipped_events_ = static_cast<std::uint32_t>(events); }
  std::string_view upstream_request_id() const noexcept { return upstream_request_id_.view(); }

  // Tells the engine what an answer that will not be complete has used.
  void observe();
  // Tells the engine its end; of a failure `cause`, for whoever asks why. Whatever became of it, what its head said of
  // limits holds; and where the caller has part of an answer, there may be a recovery.
  void end(AttemptReport report, std::string_view cause = {});
  // No answer came, or only a part of one.
  void end_broken(const net::TransportError& error);
  std::string cause_of_break(const net::TransportError& error) const;

 protected:
  ~InFlightAttempt();

 private:
  friend class ProtectedExchange;

  // What its server is reached by; asked for again each time that something is sent.
  virtual net::HttpClient& client() = 0;
  // So far, for observe(); nullopt: nothing is known to be.
  virtual std::optional<TokenUsage> used() const = 0;
  net::Task<bool> wait_for_memory(UpstreamRequest& request);
  void cancel() noexcept;

  ProtectedExchange& exchange_;
  const Attempt& attempt_;
  const UpstreamServer server_;
  const TimePoint started_;
  InFlightAttempt* next_;  // in the exchange's list
  std::optional<net::ClientExchange> upstream_;
  std::optional<ServerWindow> window_;  // what the upstream's headers say of its limits
  BoundedText<63> upstream_request_id_;
  bool callers_account_ = false;
  std::uint16_t status_ = 0;
  std::uint32_t skipped_events_ = 0;
};

}  // namespace fuseboard::gateway
