// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/streamed_answer.h"

#include <algorithm>
#include <utility>

#include "gateway/answer_coding.h"
#include "gateway/answer_head.h"
#include "gateway/body_kind.h"
#include "gateway/cause.h"
#include "gateway/cause_of_answer.h"
#include "gateway/failed_report.h"
#include "gateway/filtered_answer.h"
#include "gateway/plain_answer.h"
#include "gateway/reading_pace.h"
#include "gateway/stream_deadlines.h"
#include "gateway/upstream_error.h"

namespace fuseboard::gateway {
namespace {

using Reading = AnswerStream::Reading;

// How long a finished stream's connection may take to end its body, to be of use again.
constexpr Duration kDrainTime = std::chrono::milliseconds(250);

// That a piece of a stream in a content coding may stand for.
constexpr std::size_t kMaxAtOnce = std::size_t{4} << 20;

// The answer is complete; what is left of the body is framing. Reading it lets the connection serve again.
net::Task<void> drain(net::ClientExchange upstream, TimePoint by) {
  for (;;) {
    const auto bytes = co_await upstream.read_some(by);
    if (!bytes || bytes->empty()) co_return;
  }
}

std::string cause_of_stream(const AnswerStream& stream) {
  if (!stream.error().empty()) return cause_of_content(stream.error());
  return stream.malformed() ? "an event of its stream is not what its dialect says"
                            : "its stream ended before the answer was complete";
}

AnswerStream make_stream(const ModelAttempt& attempt, const OutgoingRequest& request) {
  const RelayedCall& relayed = attempt.relayed;
  const ModelCall& call = relayed.call;
  const StreamTerms terms{.from = attempt.endpoint(),
                          .to = call.endpoint,
                          .choices = call.facts.choices,
                          .include_usage = call.facts.include_usage,
                          .hide_usage = request.asks_usage && !relayed.requests.translated(attempt.target()),
                          .skip_malformed = call.route->malformed_events == config::MalformedEvents::skip,
                          .retain = call.route->stream_recovery != config::StreamRecoveryMode::fail &&
                                    llm::translates(call.endpoint) && call.facts.choices == 1,
                          .request_bytes = call.body.size(),
                          .rules = &call.routing->classify_rules(),
                          .created = std::chrono::system_clock::to_time_t(relayed.loop_context.wall.now())};
  if (request.splice) return {relayed.now(), terms, relayed.begun.delivered, *request.splice};
  return {relayed.now(), terms};
}

// Hands on what is there, and with the first of it the answer's head. False: nobody is there to read it, or another
// attempt was first.
net::Task<bool> hand_on(ModelAttempt& attempt, AnswerStream& stream, net::ResponseHead& head) {
  RelayedCall& relayed = attempt.relayed;
  const bool begins = !relayed.exchange.execution().committed();
  if (!relayed.exchange.driver().first_content(attempt.number())) co_return false;
  bool reached = true;
  if (begins) {
    relayed.remember_state(attempt.target(), stream.id());
    reached = co_await relayed.caller.start(answer_head(attempt, std::exchange(head, {}), stream.rewrites()));
  }
  if (reached) {
    attempt.secrets().redact_usual(stream.out());
    stream.deliver(relayed.begun.delivered);
    reached = co_await relayed.caller.write(stream.out());
    stream.out().clear();
  }
  if (!reached) relayed.exchange.caller_gone();
  co_return attempt.in_flight();
}

net::Task<void> complete_stream(ModelAttempt& attempt, AnswerStream& stream, net::ResponseHead& head) {
  RelayedCall& relayed = attempt.relayed;
  if (!relayed.exchange.execution().committed() && stream.filtered()) {
    end_filtered(attempt, answer_head(attempt, std::move(head), stream.rewrites()), std::move(stream.out()),
                 stream.usage(), stream.seen());
    co_return;
  }
  // Perhaps without any content: all of it goes to the caller before the call is settled.
  if (!co_await hand_on(attempt, stream, head)) co_return;
  attempt.end({.outcome = Outcome::success(),
               .answered = true,
               .usage = usage_of(stream.usage()),
               .seen_output = stream.seen().tokens()});
  net::spawn(drain(attempt.release_upstream(), saturating_add(relayed.now(), kDrainTime)));
}

void end_by_failure(ModelAttempt& attempt, AnswerStream& stream, const AttemptReport& report, std::string_view cause) {
  RelayedCall& relayed = attempt.relayed;
  attempt.observe();
  if (relayed.exchange.execution().committed()) {
    stream.note_end(relayed.begun.delivered);
    relayed.begun.error_event = stream.error_event();
    attempt.secrets().redact(relayed.begun.error_event);
  } else if (!stream.error().empty()) {
    relayed.errors.keep(
        told_under_success(attempt.number(), attempt.dialect(), *report.outcome.failure, stream.error()),
        attempt.secrets());
  }
  attempt.end(report, cause);
}

// It said itself that it failed, or ended too early, or nothing came of it any more: `bytes` is what was read last, and
// `fault` what it means that no more had come in time.
void end_broken_off(ModelAttempt& attempt, AnswerStream& stream,
                    const std::expected<std::string_view, net::TransportError>& bytes, TransportFault fault,
                    const ReadingPace& caller) {
  const bool told = !stream.error().empty() || stream.malformed();
  const bool silent = !bytes && bytes.error().kind == net::TransportError::body_timeout;
  AttemptReport report = bytes || told ? AttemptReport::failed(*stream.verdict(), true)
                         : silent      ? failed_report(fault)
                                       : failed_report(bytes.error());
  const std::string cause = bytes || told ? cause_of_stream(stream)
                            : silent ? cause_of_waiting(fault, patience_of(attempt.attempt(), fault, attempt.started()))
                                     : attempt.cause_of_break(bytes.error());
  // It may have given up writing to a caller that did not read.
  if (!told && caller.likely_gave_up(attempt.relayed.now()))
    report.outcome.failure->evidence = Evidence::does_not_count;
  end_by_failure(attempt, stream, report, cause);
}

// `begun` is what has been read of it; nothing: it has ended.
net::Task<void> relay_stream(ModelAttempt& attempt, net::ResponseHead& head, const OutgoingRequest& request,
                             std::string_view begun) {
  RelayedCall& relayed = attempt.relayed;
  AnswerStream stream = make_stream(attempt, request);
  attempt.stream = &stream;
  auto coding = take_coding(head);
  if (!coding) {
    attempt.end(failed_report(TransportFault::malformed), "its content-encoding cannot be read");
    co_return;
  }
  std::string plain;  // of a stream in a content coding
  const Plan& plan = relayed.exchange.execution().plan();
  const FirstContent first_content{.limit = plan.targets()[attempt.target()].timeouts.first_content,
                                   .deadline = relayed.call.options.deadline.time()};
  ReadingPace caller;
  std::expected<std::string_view, net::TransportError> bytes = begun;
  for (bool first = true;; first = false) {
    const auto [by, fault] = next_bytes(attempt.attempt(), stream, first_content, caller);
    if (!first) bytes = co_await attempt.upstream().read_some(by);
    if (!attempt.in_flight()) co_return;
    if (*coding && bytes && !bytes->empty()) {
      plain.clear();
      (*coding)->allow(kMaxAtOnce);
      if (!(*coding)->decode(*bytes, plain)) {
        end_by_failure(attempt, stream, failed_report(TransportFault::malformed),
                       "its content-encoding cannot be read");
        co_return;
      }
      if (plain.empty()) continue;  // not yet enough to say anything
      bytes = plain;
    }
    const TimePoint last_event = stream.last_event();
    const bool over = !bytes || bytes->empty();
    const Reading reading = over ? stream.end(bytes.has_value()) : stream.read(relayed.now(), *bytes);
    if (stream.worked()) relayed.exchange.driver().working(attempt.number());
    const bool broken = reading == Reading::failed || reading == Reading::mismatch;
    // Content that came together with a failure has not reached the caller: another try still costs nothing.
    const bool still_free = broken && !relayed.exchange.execution().committed();
    if (stream.content_seen() && !stream.out().empty() && !still_free) {
      const TimePoint began = relayed.now();
      if (!co_await hand_on(attempt, stream, head)) co_return;
      if (stream.last_event() != last_event) caller.heard();
      caller.wrote(began, relayed.now());
    }
    if (reading == Reading::continues) continue;
    attempt.note_skipped_events(stream.skipped());
    if (reading == Reading::complete) {
      co_await complete_stream(attempt, stream, head);
    } else if (reading == Reading::mismatch) {
      end_by_failure(attempt, stream, {.outcome = Outcome::success(), .answered = true, .unusable = true}, {});
    } else {
      end_broken_off(attempt, stream, bytes, fault, caller);
    }
    co_return;
  }
}

}  // namespace

// The answer to a request for a stream is what its first bytes say, not what its head says. In a content coding they
// say nothing.
net::Task<void> read_streamed(ModelAttempt& attempt, net::ResponseHead& head, const OutgoingRequest& request) {
  const Attempt& limits = attempt.attempt();
  std::string kept;
  std::string_view begun;
  const bool coded = head.headers.contains("content-encoding");
  BodyKind kind = BodyKind::unclear;
  while (kind == BodyKind::unclear && kept.size() <= kMaxUnclear) {
    const auto bytes = co_await attempt.upstream().read_some(std::min(limits.first_content_by, limits.total_by));
    if (!attempt.in_flight()) co_return;
    if (!bytes && bytes.error().kind == net::TransportError::body_timeout) {
      constexpr TransportFault kFault = TransportFault::first_content_timeout;
      attempt.end(failed_report(kFault), cause_of_waiting(kFault, patience_of(limits, kFault, attempt.started())));
      co_return;
    }
    if (!bytes) {
      attempt.end_broken(bytes.error());
      co_return;
    }
    if (bytes->empty()) break;
    begun = kept.empty() ? *bytes : std::string_view(kept.append(*bytes));
    kind = coded ? BodyKind::other : body_kind(begun);
    if (kind == BodyKind::unclear && kept.empty()) begun = kept = begun;
  }
  const bool called_events = is_event_stream(head.headers);
  if (kind == BodyKind::events || (kind != BodyKind::json && called_events)) {
    if (!called_events) describe_own_body(head.headers, true);
    co_await relay_stream(attempt, head, request, begun);
  } else {
    co_await read_plain(attempt, head, std::string(begun));
  }
}

}  // namespace fuseboard::gateway
