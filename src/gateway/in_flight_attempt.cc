// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/in_flight_attempt.h"

#include <algorithm>
#include <utility>

#include "gateway/cause.h"
#include "gateway/failed_report.h"
#include "gateway/failure_scope.h"
#include "gateway/stale_connection.h"
#include "gateway/transport_fault.h"

namespace fuseboard::gateway {

InFlightAttempt::InFlightAttempt(ProtectedExchange& exchange, const Attempt& attempt, const UpstreamServer& server)
    : exchange_(exchange),
      attempt_(attempt),
      server_(server),
      started_(exchange.context_.clock.now()),
      next_(std::exchange(exchange.attempts_in_flight_, this)) {}

InFlightAttempt::~InFlightAttempt() {
  InFlightAttempt** at = &exchange_.attempts_in_flight_;
  while (*at != this) at = &(*at)->next_;
  *at = next_;
}

// Whoever ends the attempt while it waits has no connection to cancel.
net::Task<bool> InFlightAttempt::wait_for_memory(UpstreamRequest& request) {
  const ExchangeContext& context = exchange_.context_;
  const TimePoint began = context.clock.now();
  const bool granted = co_await request.memory.grow(context.loop, request.own_bytes,
                                                    saturating_add(began, net::ClientExchange::kMemoryWait));
  // The wait was for us, and takes nothing of the time to connect.
  request.connect_by =
      std::min(saturating_add(request.connect_by, elapsed(began, context.clock.now())), attempt_.total_by);
  co_return granted&& in_flight();
}

net::Task<std::expected<net::ResponseHead, net::TransportError>> InFlightAttempt::send(UpstreamRequest request) {
  if (!request.memory.try_grow(request.own_bytes) && !co_await wait_for_memory(request)) {
    co_return std::unexpected(
        net::TransportError{.kind = net::TransportError::no_memory, .message = "there is no memory for the request"});
  }
  const Clock& clock = exchange_.context_.clock;
  const net::SendDeadlines deadlines{.connect_by = request.connect_by, .head_by = attempt_.headers_by};
  // A dead connection shows when it is used, and what is idempotent is then sent again.
  const bool idempotent = exchange_.idempotent_;
  upstream_.emplace(client().exchange(server_.origin, idempotent ? net::Reuse::trusted : net::Reuse::checked));
  const TimePoint sent = clock.now();
  auto head = co_await upstream_->send(request.head, request.body, deadlines);
  const TimePoint heard = clock.now();
  if (idempotent && upstream_->reused_connection() && in_flight() && heard < attempt_.connect_by &&
      was_stale(head, elapsed(sent, heard))) {
    exchange_.driver_.note_resent(attempt_.number);
    upstream_.emplace(client().exchange(server_.origin, net::Reuse::never));
    head = co_await upstream_->send(request.head, request.body, deadlines);
  }
  co_return head;
}

net::ClientExchange InFlightAttempt::release_upstream() {
  net::ClientExchange released = *std::move(upstream_);
  upstream_.reset();
  return released;
}

void InFlightAttempt::cancel() noexcept {
  if (upstream_) upstream_->cancel();
}

void InFlightAttempt::note_head(const net::ResponseHead& head, const std::optional<ServerWindow>& window) {
  window_ = window;
  status_ = static_cast<std::uint16_t>(head.status);
  upstream_request_id_ = gateway::upstream_request_id(head.headers, server_.secrets);
}

void InFlightAttempt::observe() {
  if (const auto so_far = used()) exchange_.driver_.observe(attempt_.number, *so_far);
}

void InFlightAttempt::end(AttemptReport report, std::string_view cause) {
  if (!callers_account_) report.window = window_;  // else of an account that is the caller's alone
  report.status = status_;
  report.skipped_events = skipped_events_;
  report.upstream_request_id = upstream_request_id_.view();
  if (auto& failure = report.outcome.failure) {
    failure->scope = scope_here(*failure, callers_account_);
    report.cause = cause;
    const std::string_view target = exchange_.execution().plan().targets()[attempt_.target].name;
    exchange_.context_.failures.attempt_failed(target, failure->category, cause);
  }
  if (exchange_.execution().committed()) report.recovery = exchange_.task_.recovery();
  exchange_.driver_.report(attempt_.number, report);
}

void InFlightAttempt::end_broken(const net::TransportError& error) { end(failed_report(error), cause_of_break(error)); }

std::string InFlightAttempt::cause_of_break(const net::TransportError& error) const {
  switch (const TransportFault fault = fault_of(error)) {
    case TransportFault::head_timeout:
      return cause_of_waiting(fault, elapsed(started_, attempt_.headers_by));
    case TransportFault::total_timeout:
      return cause_of_waiting(fault, elapsed(started_, std::min(attempt_.first_content_by, attempt_.total_by)));
    default:
      return cause_of(error, server_.origin);
  }
}

}  // namespace fuseboard::gateway
