// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams: how they reach the caller, and what becomes of those that break off.

#include <algorithm>
#include <utility>

#include "gateway/answer_coding.h"
#include "gateway/body_kind.h"
#include "gateway/cause.h"
#include "gateway/in_flight_attempt.h"
#include "gateway/reading_pace.h"
#include "gateway/relay.h"
#include "gateway/transport_fault.h"
#include "llm/begun_answer.h"
#include "llm/errors.h"

namespace fuseboard::gateway {
namespace {

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

// Until when there must be content, each sign of work being a new beginning. The caller's own deadline stands.
struct FirstContent {
  Duration limit{};
  TimePoint deadline{};

  TimePoint by(const Attempt& attempt, const AnswerStream& stream) const noexcept {
    if (!stream.worked()) return std::min(attempt.first_content_by, attempt.total_by);
    return std::min({saturating_add(stream.last_event(), limit), deadline, attempt.total_by});
  }
};

// When the next bytes must have come, and what it means if they have not. Time in which the caller did not read is
// nobody's.
std::pair<TimePoint, TransportFault> next_by(const Attempt& attempt, const AnswerStream& stream,
                                             const FirstContent& first_content, const ReadingPace& caller) {
  if (!stream.content_seen()) return {first_content.by(attempt, stream), TransportFault::first_content_timeout};
  const TimePoint idle_by = saturating_add(saturating_add(stream.last_event(), caller.unheard()), attempt.idle);
  const TimePoint total_by = saturating_add(attempt.total_by, caller.paused());
  if (idle_by <= total_by) return {idle_by, TransportFault::idle_timeout};
  return {total_by, TransportFault::total_timeout};
}

// How long the target was given before that fault.
Duration patience_of(const Attempt& attempt, TransportFault fault, TimePoint started) {
  if (fault == TransportFault::idle_timeout) return attempt.idle;
  const TimePoint by = fault == TransportFault::first_content_timeout
                           ? std::min(attempt.first_content_by, attempt.total_by)
                           : attempt.total_by;
  return elapsed(started, by);
}

std::string cause_of_stream(const AnswerStream& stream) {
  if (!stream.error().empty()) return cause_of_content(stream.error());
  return stream.malformed() ? "an event of its stream is not what its dialect says"
                            : "its stream ended before the answer was complete";
}

}  // namespace

AnswerStream Relay::make_stream(const InFlightAttempt& in_flight, const Sending& sending) const {
  const StreamTerms terms{.from = requests_.endpoint(in_flight.attempt.target),
                          .to = call_.endpoint,
                          .choices = call_.facts.choices,
                          .include_usage = call_.facts.include_usage,
                          .hide_usage = sending.asks_usage && !requests_.translated(in_flight.attempt.target),
                          .skip_malformed = call_.route->malformed_events == config::MalformedEvents::skip,
                          .retain = call_.route->stream_recovery != config::StreamRecoveryMode::fail &&
                                    llm::translates(call_.endpoint) && call_.facts.choices == 1,
                          .request_bytes = call_.body.size(),
                          .rules = &loop_context_.models.classify_rules(),
                          .created = std::chrono::system_clock::to_time_t(loop_context_.wall.now())};
  if (sending.splice) return {terms, delivered_, *sending.splice, now()};
  return {terms, now()};
}

// The answer to a request for a stream is what its first bytes say, not what its head says. In a content coding they
// say nothing.
net::Task<void> Relay::read_streamed(InFlightAttempt& in_flight, net::ResponseHead& head, const Sending& sending) {
  const Attempt& attempt = in_flight.attempt;
  std::string kept;
  std::string_view begun;
  const bool coded = head.headers.contains("content-encoding");
  BodyKind kind = BodyKind::unclear;
  while (kind == BodyKind::unclear && kept.size() <= kMaxUnclear) {
    const auto bytes = co_await in_flight.upstream->read_some(std::min(attempt.first_content_by, attempt.total_by));
    if (!driver_.in_flight(attempt.number)) co_return;
    if (!bytes && bytes.error().kind == net::TransportError::body_timeout) {
      constexpr TransportFault kFault = TransportFault::first_content_timeout;
      in_flight.cause = cause_of_waiting(kFault, patience_of(attempt, kFault, in_flight.started));
      end(in_flight, failed_report(kFault));
      co_return;
    }
    if (!bytes) {
      end_broken(in_flight, bytes.error());
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
    co_await relay_stream(in_flight, head, sending, begun);
  } else {
    co_await read_plain(in_flight, head, std::string(begun));
  }
}

// `begun` is what has been read of it; nothing: it has ended.
net::Task<void> Relay::relay_stream(InFlightAttempt& in_flight, net::ResponseHead& head, const Sending& sending,
                                    std::string_view begun) {
  using Reading = AnswerStream::Reading;
  const std::uint32_t number = in_flight.attempt.number;
  AnswerStream stream = make_stream(in_flight, sending);
  in_flight.stream = &stream;
  auto coding = take_coding(head);
  if (!coding) {
    in_flight.cause = "its content-encoding cannot be read";
    end(in_flight, failed_report(TransportFault::malformed));
    co_return;
  }
  std::string plain;  // of a stream in a content coding
  const FirstContent first_content{
      .limit = driver_.execution().plan().targets()[in_flight.attempt.target].timeouts.first_content,
      .deadline = call_.options.deadline.time()};
  ReadingPace caller;
  std::expected<std::string_view, net::TransportError> bytes = begun;
  for (bool first = true;; first = false) {
    const auto [by, fault] = next_by(in_flight.attempt, stream, first_content, caller);
    if (!first) bytes = co_await in_flight.upstream->read_some(by);
    if (!driver_.in_flight(number)) co_return;
    if (*coding && bytes && !bytes->empty()) {
      plain.clear();
      (*coding)->allow(kMaxAtOnce);
      if (!(*coding)->decode(*bytes, plain)) {
        in_flight.cause = "its content-encoding cannot be read";
        fail_stream(in_flight, stream, failed_report(TransportFault::malformed));
        co_return;
      }
      if (plain.empty()) continue;  // not yet enough to say anything
      bytes = plain;
    }
    const TimePoint last_event = stream.last_event();
    const bool over = !bytes || bytes->empty();
    const Reading reading = over ? stream.end(bytes.has_value()) : stream.read(*bytes, now());
    if (stream.worked() && !std::exchange(in_flight.worked, true)) driver_.working(number);
    const bool broken = reading == Reading::failed || reading == Reading::mismatch;
    // Content that came together with a failure has not reached the caller: another try still costs nothing.
    const bool still_free = broken && !driver_.execution().committed();
    if (stream.content_seen() && !stream.out().empty() && !still_free) {
      const TimePoint began = now();
      if (!co_await hand_on(in_flight, stream, head)) co_return;
      if (stream.last_event() != last_event) caller.heard();
      caller.wrote(began, now());
    }
    if (reading == Reading::continues) continue;
    loop_context_.metrics.count_skipped(*call_.route, stream.skipped());
    if (reading == Reading::complete) {
      co_await complete_stream(in_flight, stream, head);
    } else if (reading == Reading::mismatch) {
      in_flight.cause = "its answer does not continue the interrupted stream";
      fail_stream(in_flight, stream, {.outcome = Outcome::success(), .answered = true, .unusable = true});
    } else {
      const bool told = !stream.error().empty() || stream.malformed();
      const bool silent = !bytes && bytes.error().kind == net::TransportError::body_timeout;
      AttemptReport report = bytes || told ? failed_report(*stream.verdict(), true)
                             : silent      ? failed_report(fault)
                                           : report_of(bytes.error());
      in_flight.cause = bytes || told ? cause_of_stream(stream)
                        : silent ? cause_of_waiting(fault, patience_of(in_flight.attempt, fault, in_flight.started))
                                 : cause_of_break(in_flight, bytes.error());
      // It may have given up writing to a caller that did not read.
      if (!told && caller.wore_out(now())) report.outcome.failure->evidence = Evidence::does_not_count;
      fail_stream(in_flight, stream, report);
    }
    co_return;
  }
}

// Hands on what is there, and with the first of it the answer's head. False: nobody is there to read it, or another
// attempt was first.
net::Task<bool> Relay::hand_on(InFlightAttempt& in_flight, AnswerStream& stream, net::ResponseHead& head) {
  const std::uint32_t number = in_flight.attempt.number;
  if (!std::exchange(in_flight.begun, true) && !driver_.first_content(number)) co_return false;
  bool reached = true;
  if (!exchange_.started()) {
    remember_state(in_flight, stream.id());
    reached = co_await exchange_.start(answer_head(in_flight, std::exchange(head, {}), stream.rewrites()));
  }
  if (reached) {
    secrets_of(in_flight).redact_usual(stream.out());
    stream.deliver(delivered_);
    reached = co_await exchange_.write(stream.out());
    stream.out().clear();
  }
  if (!reached) caller_gone();
  co_return driver_.in_flight(number);
}

net::Task<void> Relay::complete_stream(InFlightAttempt& in_flight, AnswerStream& stream, net::ResponseHead& head) {
  if (!driver_.execution().committed() && stream.filtered()) {
    net::ResponseHead ours = answer_head(in_flight, std::move(head), stream.rewrites());
    end_filtered(in_flight,
                 {.attempt = in_flight.attempt.number,
                  .dialect = call_.dialect,
                  .head = std::move(ours),
                  .body = std::move(stream.out())},
                 stream.usage(), stream.seen());
    co_return;
  }
  // Perhaps without any content: all of it goes to the caller before the call is settled.
  if (!co_await hand_on(in_flight, stream, head)) co_return;
  end(in_flight, {.outcome = Outcome::success(),
                  .answered = true,
                  .usage = usage_of(stream.usage()),
                  .seen_output = stream.seen().tokens()});
  if (co_await exchange_.finish()) {
    net::spawn(drain(*std::move(in_flight.upstream), saturating_add(now(), kDrainTime)));
    in_flight.upstream.reset();
  }
}

void Relay::fail_stream(InFlightAttempt& in_flight, AnswerStream& stream, const AttemptReport& report) {
  observe(in_flight);
  if (driver_.execution().committed()) {
    stream.note_end(delivered_);
    error_event_ = stream.error_event();
    secrets_of(in_flight).redact(error_event_);
  } else if (!stream.error().empty()) {
    keep_error(in_flight, told_under_success(in_flight.attempt.number, requests_.dialect(in_flight.attempt.target),
                                             *report.outcome.failure, stream.error()));
  }
  end(in_flight, report);
}

// Whether, and by whom best, an answer that broke off can be gone on with.
std::optional<StreamRecovery> Relay::recovery() const {
  if (call_.route->stream_recovery == config::StreamRecoveryMode::fail) return std::nullopt;
  if (!delivered_.whole || !delivered_.resume || delivered_.text.empty()) return std::nullopt;
  StreamRecovery recovery;
  for (std::uint32_t target = 0; target < call_.route->upstreams.size(); ++target) {
    if (may_prefill(target)) recovery.prefer |= std::uint64_t{1} << target;
  }
  return recovery;
}

bool Relay::may_prefill(std::uint32_t target) const {
  return call_.route->stream_recovery == config::StreamRecoveryMode::continue_answer && call_.facts.continuable &&
         upstream(target).request.prefill && ((refused_prefill_ >> target) & 1U) == 0;
}

// The caller has part of an answer and nobody can go on with it: say in the stream that it broke off, and never that it
// is done [STR-5].
net::Task<void> Relay::break_off() {
  const CallRecord& record = driver_.execution().record();
  if (error_event_.empty()) {
    const AttemptRecord& last = record.attempts.back();
    const Plan& plan = driver_.execution().plan();
    const std::string told = causes(record, plan);
    const std::string_view why =
        last.failure && !last.unusable ? name(last.failure->category) : std::string_view("no other answer fits it");
    co_await end_stream_with(std::string(why) + " at " + plan.targets()[last.target].name +
                             (told.empty() ? "" : " (" + told + ")"));
    co_return;
  }
  if (co_await exchange_.write(error_event_)) co_await exchange_.finish();
}

net::Task<void> Relay::end_stream_with(std::string_view why) {
  const llm::Endpoint spoken =
      call_.endpoint == llm::Endpoint::other ? llm::chat_endpoint(call_.dialect) : call_.endpoint;
  const std::string event = llm::error_event(spoken, llm::GatewayError::stream_interrupted,
                                             "stream interrupted: " + std::string(why), delivered_.events);
  if (co_await exchange_.write(event)) co_await exchange_.finish();
}

// Tells the budget what an answer that will not be complete has used: what was seen of it, or what the provider has
// said so far, where that is more.
void Relay::observe(const InFlightAttempt& in_flight) {
  const llm::AnswerSoFar said =
      in_flight.stream != nullptr
          ? llm::AnswerSoFar{.usage = in_flight.stream->usage(), .seen = in_flight.stream->seen()}
          : llm::read_begun_answer(requests_.endpoint(in_flight.attempt.target),
                                   std::string_view(in_flight.body).substr(0, kMaxReadOnLoop));
  const std::uint64_t seen = said.seen.tokens();
  if (seen == 0) return;
  const TokenUsage told = usage_of(said.usage).value_or(TokenUsage{});
  driver_.observe(in_flight.attempt.number,
                  {.input = told.input, .cached_input = told.cached_input, .output = std::max(told.output, seen)});
}

}  // namespace fuseboard::gateway
