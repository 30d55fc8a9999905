// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/chat_relay.h"

#include <algorithm>
#include <expected>
#include <utility>
#include <vector>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/user_rules.h"
#include "gateway/transport_fault.h"
#include "llm/answer.h"

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kPath = "/chat/completions";
// The finish reason of an answer that the provider's safety system withheld.
constexpr std::string_view kFiltered = "content_filter";
constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;
constexpr std::size_t kMaxPlainAnswer = std::size_t{64} << 20;
// How much of a stream may be held back before its first content. Preludes are a few hundred bytes.
constexpr std::size_t kMaxHeldBack = std::size_t{256} << 10;
// How long a finished stream's connection may take to end its body, to be of use again.
constexpr Duration kDrainTime = std::chrono::milliseconds(250);

bool is_event_stream(const net::ResponseHead& head) {
  constexpr std::string_view kType = "text/event-stream";
  const std::string_view type = head.headers.get("content-type");
  return net::equal_ignoring_case(type.substr(0, kType.size()), kType);
}

AttemptReport failed(const Failure& failure, bool answered) {
  // A rate limit refuses before the request is handled.
  return {.outcome = Outcome::failed(failure),
          .answered = answered,
          .may_have_run = failure.category != Category::rate_limit};
}

AttemptReport failed(TransportFault fault) {
  AttemptReport report = failed(classify_transport(fault), false);
  report.silent = is_silence(fault);
  return report;
}

int status_of(Category category) {
  switch (category) {
    case Category::invalid_request:
    case Category::context_length_exceeded:
    case Category::content_policy:
    case Category::policy_violation:
      return 400;
    case Category::permission_denied:
      return 403;
    case Category::tool_not_found:
    case Category::resource_not_found:
    case Category::model_not_found:
      return 404;
    case Category::rate_limit:
    case Category::quota_exhausted:
      return 429;
    case Category::service_unavailable:
    case Category::overloaded:
      return 503;
    case Category::timeout:
      return 504;
    default:
      return 502;
  }
}

std::optional<TokenUsage> usage_of(const llm::Usage& usage) {
  if (!usage.known) return std::nullopt;
  return TokenUsage{.input = usage.prompt, .cached_input = usage.cached, .output = usage.completion};
}

// An error that an upstream told under a 200, as it would have looked under the status that it meant.
UpstreamError told_under_success(const Attempt& attempt, const Failure& failure, const llm::ErrorDetails& error) {
  const int status = status_of(failure.category);
  const std::string_view type = status < 500 ? "invalid_request_error" : "server_error";
  const auto code = error.code.empty() ? std::nullopt : std::optional<std::string_view>(error.code);
  return {.attempt = attempt.number,
          .head = {.status = status, .headers = {{"content-type", "application/json"}}},
          .body = llm::openai_error_body(error.message, error.type.empty() ? type : error.type, std::nullopt, code)};
}

}  // namespace

// A stream that is being read: what is held back, and what it has said so far.
class ChatRelay::StreamState {
 public:
  StreamState(const Attempt& attempt, std::size_t choices, const UserRules& rules, net::ResponseHead head,
              TimePoint now)
      : attempt_(attempt), head_(std::move(head)), reader_(choices, rules), last_event_(now) {}

  enum class Reading : std::uint8_t { goes_on, complete, failed };

  // Takes in bytes and moves the events among them that may be handed on to held().
  Reading read(std::string_view bytes, TimePoint now);

  // When the next bytes must have come, and what it means if they have not.
  std::pair<TimePoint, TransportFault> next_by(bool committed) const;

  // The verdict on a stream that ended by itself.
  std::optional<AttemptReport> at_end() const;

  // Complete, but withheld by the provider's safety system before any content.
  bool filtered() const noexcept { return !reader_.content_seen() && reader_.finish_reason() == kFiltered; }

  std::string& held() noexcept { return held_; }
  net::ResponseHead& head() noexcept { return head_; }
  bool content_seen() const noexcept { return reader_.content_seen(); }
  bool error_passed_on() const noexcept { return error_passed_on_; }
  const Attempt& attempt() const noexcept { return attempt_; }
  const llm::ErrorDetails& error() const noexcept { return reader_.error(); }
  const llm::Usage& usage() const noexcept { return reader_.usage(); }

 private:
  Reading read_event(const net::SseEvent& event);

  const Attempt& attempt_;
  net::ResponseHead head_;
  net::SseParser parser_;
  llm::ChatStreamReader reader_;
  std::string held_;
  TimePoint last_event_;
  bool malformed_ = false;
  bool error_passed_on_ = false;
};

ChatRelay::StreamState::Reading ChatRelay::StreamState::read(std::string_view bytes, TimePoint now) {
  parser_.feed(bytes);
  net::SseEvent event;
  for (;;) {
    switch (parser_.next(event)) {
      case net::SseParser::Next::need_more:
        return Reading::goes_on;
      case net::SseParser::Next::too_large:
        malformed_ = true;
        return Reading::failed;
      case net::SseParser::Next::event:
        break;
    }
    if (event.has_data) last_event_ = now;
    const Reading reading = read_event(event);
    if (reading != Reading::goes_on) return reading;
    if (!reader_.content_seen() && held_.size() > kMaxHeldBack) {
      malformed_ = true;
      return Reading::failed;
    }
  }
}

ChatRelay::StreamState::Reading ChatRelay::StreamState::read_event(const net::SseEvent& event) {
  if (!event.has_data) {
    held_ += event.raw;  // comments and pings keep the caller's own timeouts quiet
    return Reading::goes_on;
  }
  switch (reader_.read(event.data)) {
    case llm::StreamPiece::malformed:
      malformed_ = true;  // never forwarded as it is [STR-7]
      return Reading::failed;
    case llm::StreamPiece::error:
      // Once content has been handed on, the upstream's own words are the best account of why it ends.
      if (reader_.content_seen()) {
        held_ += event.raw;
        error_passed_on_ = true;
      }
      return Reading::failed;
    case llm::StreamPiece::done:
      held_ += event.raw;
      return Reading::complete;
    case llm::StreamPiece::prelude:
    case llm::StreamPiece::content:
    case llm::StreamPiece::finish:
    case llm::StreamPiece::usage:
      held_ += event.raw;
      return Reading::goes_on;
  }
  return Reading::goes_on;
}

std::pair<TimePoint, TransportFault> ChatRelay::StreamState::next_by(bool committed) const {
  if (!committed)
    return {std::min(attempt_.first_content_by, attempt_.total_by), TransportFault::first_content_timeout};
  const TimePoint idle_by = saturating_add(last_event_, attempt_.idle);
  if (idle_by <= attempt_.total_by) return {idle_by, TransportFault::idle_timeout};
  return {attempt_.total_by, TransportFault::total_timeout};
}

std::optional<AttemptReport> ChatRelay::StreamState::at_end() const {
  if (malformed_) return failed(TransportFault::malformed);
  const std::optional<Failure> failure = reader_.at_end();
  if (!failure) return std::nullopt;
  return failed(*failure, true);
}

ChatRelay::ChatRelay(Worker& worker, net::ServerExchange& exchange, ChatCall call)
    : worker_(worker),
      exchange_(exchange),
      call_(std::move(call)),
      waker_(std::make_shared<LoopWaker>(worker.loop)),
      execution_(call_.route->plan, call_.options, worker.rng, worker.clock.now(), {.waker = waker_}) {
  waker_->on_wake([this] {
    if (!wait_) return;
    woken_ = true;
    wait_->cancel();
  });
}

ChatRelay::~ChatRelay() { waker_->on_wake({}); }

net::Task<void> ChatRelay::run() {
  exchange_.on_gone([this] { caller_gone(); });
  co_await drive(execution_, *this, worker_.clock, call_.options.cache, waker_);
  const CallRecord& record = execution_.record();
  worker_.metrics.count(*call_.route, record);
  if (record.ending == Ending::cancelled || record.ending == Ending::interrupted) co_return;
  if (record.ending != Ending::success) {
    co_await answer_failure();
  } else if (answer_) {
    co_await exchange_.respond(std::move(answer_->head), std::move(answer_->body));
  }
}

net::Task<void> ChatRelay::attempt(Attempt attempt) {
  attempt_ = attempt.number;
  target_ = attempt.target;
  const Upstream& upstream = call_.route->upstreams[attempt.target];
  const Provider& provider = worker_.models.providers()[upstream.provider];
  upstream_.emplace(client(upstream).exchange(provider.origin));
  std::expected<net::ResponseHead, net::TransportError> head;
  {
    // Gone once it is sent: the answer may stream for minutes.
    const net::RequestHead request = upstream_request(exchange_.head(), provider, kPath);
    const std::string body = llm::with_model(call_.body, call_.request, upstream.model);
    const net::SendDeadlines deadlines{.connect_by = attempt.connect_by, .head_by = attempt.headers_by};
    head = co_await upstream_->send(request, body, deadlines);
    if (!head && was_stale(attempt, head.error())) {
      upstream_.emplace(client(upstream).exchange(provider.origin, true));
      head = co_await upstream_->send(request, body, deadlines);
    }
  }
  if (!head) {
    end_attempt(report_of(head.error()));
  } else if (head->status < 200 || head->status > 299) {
    co_await read_error(attempt, *std::move(head));
  } else if (execution_.accepted(attempt.number, now()); call_.request.stream && is_event_stream(*head)) {
    co_await relay_stream(attempt, *std::move(head));
  } else {
    co_await read_plain(attempt, *std::move(head));
  }
  upstream_.reset();
}

// A kept connection that breaks at once was most likely lost while nobody used it: to a restart, to a router that
// forgot it. That is no evidence against the target, and there may be a pool full of them, so the attempt goes on over
// a fresh one.
bool ChatRelay::was_stale(const Attempt& attempt, const net::TransportError& error) const {
  const bool broke = error.kind == net::TransportError::reset || error.kind == net::TransportError::closed_early;
  return broke && upstream_->reused_connection() && call_.options.idempotent && execution_.attempt_in_flight() &&
         now() < attempt.connect_by;
}

net::Task<void> ChatRelay::read_error(const Attempt& attempt, net::ResponseHead head) {
  auto body = co_await upstream_->read_all(kMaxErrorBody, std::min(attempt.headers_by, attempt.total_by));
  if (!execution_.attempt_in_flight()) co_return;
  // The status has already decided; a body that does not come only leaves less to say.
  std::string text = body ? *std::move(body) : std::string();
  const Failure failure = judge(head, text).value_or(Failure::of(Category::execution_error));
  keep_error({.attempt = attempt.number, .head = std::move(head), .body = std::move(text)});
  end_attempt(failed(failure, true));
}

net::Task<void> ChatRelay::read_plain(const Attempt& attempt, net::ResponseHead head) {
  // All of it counts as first content: nothing has been handed on, also where a stream was asked for [RTY-3].
  auto body = co_await upstream_->read_all(kMaxPlainAnswer, std::min(attempt.first_content_by, attempt.total_by));
  if (!execution_.attempt_in_flight()) co_return;
  if (!body) {
    end_attempt(report_of(body.error()));
    co_return;
  }
  const llm::AnswerJudgement read = llm::judge_chat_answer(head.status, head.headers.get("content-type"), *body, {});
  if (read.failure) {
    // The reader of answers sees that it is none; what that means is the classifier's word.
    const Failure failure = judge(head, *body).value_or(*read.failure);
    if (!read.error.empty()) keep_error(told_under_success(attempt, failure, read.error));
    end_attempt(failed(failure, true));
    co_return;
  }
  if (read.finish_reason == kFiltered) {
    end_filtered(attempt, std::move(head), *std::move(body), read.usage);
    co_return;
  }
  end_attempt({.outcome = Outcome::success(), .answered = true, .usage = usage_of(read.usage)});
  answer_ = Answer{.head = caller_response(head, served_by()), .body = *std::move(body)};
}

net::Task<void> ChatRelay::relay_stream(const Attempt& attempt, net::ResponseHead head) {
  StreamState stream(attempt, call_.request.choices, worker_.models.classify_rules(), std::move(head), now());
  for (;;) {
    const auto [by, fault] = stream.next_by(execution_.committed());
    const auto bytes = co_await upstream_->read_some(by);
    if (!execution_.attempt_in_flight()) co_return;
    if (!bytes) {
      const bool silent = bytes.error().kind == net::TransportError::body_timeout;
      std::optional<AttemptReport> report = stream.at_end();
      // Behind the finish reason nothing but the formal end can be missing: the answer is complete [STR-2].
      if (report) report = silent ? failed(fault) : report_of(bytes.error());
      co_await end_stream(stream, std::move(report));
      co_return;
    }
    if (bytes->empty()) {
      co_await end_stream(stream, stream.at_end());
      co_return;
    }
    const StreamState::Reading reading = stream.read(*bytes, now());
    // Content that came together with a failure has not reached the caller: another try still costs nothing.
    const bool still_free = reading == StreamState::Reading::failed && !execution_.committed();
    if (stream.content_seen() && !still_free && !co_await commit(stream)) co_return;
    if (reading == StreamState::Reading::goes_on) continue;
    co_await end_stream(stream, stream.at_end());
    co_return;
  }
}

// Hands on what is held back, and with the first of it the answer's head. False: the caller is gone.
net::Task<bool> ChatRelay::commit(StreamState& stream) {
  bool reached = true;
  if (!execution_.committed()) {
    execution_.first_content(attempt_, now());
    const net::ResponseHead head = std::move(stream.head());  // of no use after this
    reached = co_await exchange_.start(caller_response(head, served_by()));
  }
  if (reached) {
    reached = co_await exchange_.write(stream.held());
    stream.held().clear();
  }
  if (!reached) caller_gone();
  co_return execution_.attempt_in_flight();
}

net::Task<void> ChatRelay::end_stream(StreamState& stream, std::optional<AttemptReport> failed_report) {
  if (!failed_report && !execution_.committed() && stream.filtered()) {
    end_filtered(stream.attempt(), std::move(stream.head()), std::move(stream.held()), stream.usage());
    co_return;
  }
  if (!failed_report) {
    // Complete, perhaps without any content: all of it goes to the caller before the call is settled.
    if (!co_await commit(stream)) co_return;
    end_attempt({.outcome = Outcome::success(), .answered = true, .usage = usage_of(stream.usage())});
    if (co_await exchange_.finish()) co_await drain_stream();
    co_return;
  }
  const bool committed = execution_.committed();
  const Failure& failure = *failed_report->outcome.failure;
  if (!committed && !stream.error().empty()) keep_error(told_under_success(stream.attempt(), failure, stream.error()));
  end_attempt(*failed_report);
  if (!committed) co_return;
  // The caller has part of an answer: say in the stream that it broke off, and never that it is done [STR-5].
  bool reached = true;
  if (!stream.error_passed_on()) {
    const std::string event =
        llm::openai_error_event(llm::GatewayError::stream_interrupted,
                                std::string("the answer broke off: ") + std::string(name(failure.category)) + " at " +
                                    execution_.plan().targets()[target_].name);
    reached = co_await exchange_.write(event);
  }
  if (reached) co_await exchange_.finish();
}

// The answer is complete; what is left of the body is framing. Reading it lets the connection serve again.
net::Task<void> ChatRelay::drain_stream() {
  const TimePoint by = saturating_add(now(), kDrainTime);
  for (;;) {
    const auto bytes = co_await upstream_->read_some(by);
    if (!bytes || bytes->empty()) co_return;
  }
}

net::Task<void> ChatRelay::wait_until(TimePoint time) {
  wait_.emplace(worker_.loop);
  const bool came = co_await wait_->wait_until(time);
  wait_.reset();
  // Cut short by the caller's leaving or by the loop's end. After the latter no wait lasts, so asking again would spin.
  if (!std::exchange(woken_, false) && !came) execution_.cancel(now());
}

net::Task<void> ChatRelay::answer_failure() {
  Answer answer = failure_answer(execution_.record(), execution_.plan(), telling_error(), served_by());
  co_await exchange_.respond(std::move(answer.head), std::move(answer.body));
}

void ChatRelay::keep_error(UpstreamError error) {
  if (!first_error_) {
    first_error_ = std::move(error);
  } else {
    last_error_ = std::move(error);
  }
}

const UpstreamError* ChatRelay::telling_error() const noexcept {
  const auto telling = execution_.record().telling_attempt;
  for (const auto* error : {&first_error_, &last_error_}) {
    if (*error && telling == (*error)->attempt) return &**error;
  }
  return nullptr;
}

AttemptReport ChatRelay::report_of(const net::TransportError& error) const {
  const TransportFault fault = fault_of(error);
  AttemptReport report = failed(fault);
  report.connected = was_connected(fault);
  report.may_have_run = error.request_may_have_run;
  return report;
}

std::optional<Failure> ChatRelay::judge(const net::ResponseHead& head, std::string_view body) const {
  std::vector<HeaderField> headers;
  for (const net::Header field : head.headers) headers.push_back({field.name, field.value});
  const CallEvidence evidence{
      .status = head.status, .headers = headers, .body = body, .now = SystemWallClock::instance().now()};
  return classify(evidence, worker_.models.classify_rules()).failure;
}

// No evidence against the target, and nothing to try again: another target is asked only where the plan's fallback_on
// says so. If none answers, the caller reads the reason in what the provider sent.
void ChatRelay::end_filtered(const Attempt& attempt, net::ResponseHead head, std::string body,
                             const llm::Usage& usage) {
  keep_error({.attempt = attempt.number, .head = std::move(head), .body = std::move(body)});
  AttemptReport report = failed(Failure::of(Category::content_policy), true);
  report.usage = usage_of(usage);  // what was filtered is billed
  end_attempt(report);
}

void ChatRelay::end_attempt(const AttemptReport& report) {
  // A caller that went away has settled the attempt already.
  execution_.report(attempt_, report, now());
}

void ChatRelay::caller_gone() {
  execution_.leave(now());
  if (upstream_ && !execution_.attempt_in_flight()) upstream_->cancel();
  if (wait_) wait_->cancel();
}

ServedBy ChatRelay::served_by() const noexcept {
  const CallRecord& record = execution_.record();
  std::string_view target;
  if (record.attempts_sent > 0) target = execution_.plan().targets()[target_].name;
  return {.request_id = call_.request_id, .target = target, .attempts = record.attempts_sent, .demo = worker_.demo};
}

}  // namespace fuseboard::gateway
