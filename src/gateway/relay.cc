// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/relay.h"

#include <algorithm>
#include <utility>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/user_rules.h"
#include "gateway/answer_coding.h"
#include "gateway/body_kind.h"
#include "gateway/cause.h"
#include "gateway/credential_scopes.h"
#include "gateway/hops.h"
#include "gateway/in_flight_attempt.h"
#include "gateway/rate_headers.h"
#include "gateway/transport_fault.h"
#include "llm/answer.h"
#include "llm/openai_responses/response_events.h"
#include "llm/prefill.h"
#include "llm/translate_answer.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMaxErrorBody = std::size_t{1} << 20;
constexpr std::size_t kMaxPlainAnswer = std::size_t{64} << 20;

constexpr bool is_success(int status) noexcept { return status >= 200 && status <= 299; }

// What a server that knows nothing of a connection needs to say so: one round trip, even around the world.
constexpr Duration kDiesAtOnce = std::chrono::milliseconds(250);

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

// A whole answer, from an upstream that does not stream, to a caller who asked for a stream.
std::expected<std::string, std::string> as_stream(llm::Dialect from, llm::Dialect to, std::string_view body,
                                                  const llm::StreamOrigin& origin) {
  const auto deltas = llm::answer_deltas(from, body);
  if (!deltas) return std::unexpected(deltas.error());
  return llm::answer_events(to, *deltas, origin);
}

// Of the attempt whose error is shown; else of the last.
std::optional<std::uint32_t> telling_target(const CallRecord& record) {
  for (const AttemptRecord& attempt : record.attempts) {
    if (attempt.number == record.primary_attempt) return attempt.target;
  }
  return record.attempts.empty() ? std::nullopt : std::optional(record.attempts.back().target);
}

// Of the same attempt.
std::string_view upstream_id(const CallRecord& record) {
  const std::uint32_t attempt =
      record.primary_attempt.value_or(record.attempts.empty() ? 0 : record.attempts.back().number);
  const AttemptNote* const note = record.note_of(attempt);
  return note == nullptr ? std::string_view() : note->upstream_request_id.view();
}

// Keeps an attempt in the list of those whose tasks run.
template <typename Node>
class Entry {
 public:
  Entry(Node*& first, Node& node) : first_(first), node_(node) { node.next = std::exchange(first, &node); }
  ~Entry() {
    Node** at = &first_;
    while (*at != &node_) at = &(*at)->next;
    *at = node_.next;
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  Node*& first_;
  Node& node_;
};

}  // namespace

AttemptReport failed_report(TransportFault fault) {
  AttemptReport report = failed_report(classify_transport(fault), false);
  report.silent = is_silence(fault);
  return report;
}

std::optional<TokenUsage> usage_of(const llm::Usage& usage) {
  if (!usage.known) return std::nullopt;
  const std::uint64_t output = usage.total > usage.prompt ? usage.total - usage.prompt : 0;
  return TokenUsage{.input = usage.prompt, .cached_input = usage.cached, .output = std::max(usage.completion, output)};
}

UpstreamError told_under_success(std::uint32_t attempt, llm::Dialect dialect, const Failure& failure,
                                 const llm::ErrorDetails& error) {
  const int status = status_of(failure.category);
  const std::string_view type = status < 500 ? "invalid_request_error" : "server_error";
  const auto code = error.code.empty() ? std::nullopt : std::optional<std::string_view>(error.code);
  std::string body = llm::openai_error_body(error.message, error.type.empty() ? type : error.type, std::nullopt, code);
  return {.attempt = attempt,
          .dialect = dialect,
          .head = {.status = status, .headers = {{"content-type", "application/json"}}},
          .body = llm::retold_openai_error(dialect, status, std::move(body))};
}

Relay::Relay(LoopContext& loop_context, net::ServerExchange& exchange, const ModelCall& call)
    : loop_context_(loop_context),
      exchange_(exchange),
      call_(call),
      requests_(loop_context.models.providers(), call_),
      waker_(std::make_shared<LoopWaker>(loop_context.loop)),
      alarm_(loop_context.loop,
             [this](bool came) {
               if (came) {
                 driver_.proceed();
               } else {
                 driver_.leave();
               }
             }),
      driver_(
          call_.route->plan,
          [this] {
            CallOptions options = call_.options;
            options.eligibility = &requests_;
            options.caller = caller();
            return options;
          }(),
          loop_context.rng, loop_context.clock, *this, waker_) {
  waker_->on_wake([this] { driver_.proceed(); });
  loop_context_.calls.add(*this);
}

Relay::~Relay() {
  loop_context_.calls.remove(*this);
  waker_->on_wake({});
}

net::Task<void> Relay::run() {
  exchange_.on_gone([this] { caller_gone(); });
  co_await driver_.run();
  const CallRecord& record = driver_.execution().record();
  loop_context_.metrics.count(*call_.route, record);
  const bool told_to_end = record.ending == Ending::cancelled && shut_down_;
  if (record.ending == Ending::cancelled && !told_to_end) co_return;
  if (record.ending != Ending::success) {
    const Plan& plan = driver_.execution().plan();
    loop_context_.failures.call_failed(call_.request_id, record, plan, to_text(requests_.unable(), plan));
  }
  if (told_to_end) {
    co_await answer_shut_down();
  } else if (record.ending == Ending::interrupted) {
    co_await break_off();
  } else if (record.ending != Ending::success) {
    co_await answer_failure();
  } else if (answer_) {
    co_await exchange_.respond(std::move(answer_->head), std::move(answer_->body));
  }
}

net::Task<void> Relay::attempt(Attempt attempt) {
  InFlightAttempt in_flight{
      .attempt = attempt, .started = now(), .memory = net::BodyMemory::Share(loop_context_.body_memory)};
  const Entry entry(attempts_in_flight_, in_flight);
  auto prepared = co_await prepare(attempt);
  if (!driver_.in_flight(attempt.number)) co_return;
  if (!prepared) {
    end_unsayable(in_flight, prepared.error());
    co_return;
  }
  Sending& sending = *prepared;
  std::expected<net::ResponseHead, net::TransportError> head = co_await send(in_flight, sending, attempt.connect_by);
  if (!driver_.in_flight(attempt.number)) co_return;
  std::optional<std::string> refusal;  // where it has been read already
  if (head && sending.asks_usage) {
    if (is_success(head->status)) {
      upstream(attempt.target).usage_asking->note(UsageAsking::Known::taken);
    } else {
      refusal = co_await withdraw_question(in_flight, sending, head);
      if (!driver_.in_flight(attempt.number)) co_return;
    }
  }
  sending.body = {};  // the answer may stream for minutes
  sending.memory.clear();
  if (head) {
    in_flight.window = window_of(attempt.target, head->headers);
    in_flight.upstream_request_id = upstream_request_id(head->headers, secrets_of(in_flight));
  }
  if (!head) {
    end_broken(in_flight, head.error());
  } else if (!is_success(head->status)) {
    if (!refusal) refusal = co_await read_error(in_flight, *head);
    if (!driver_.in_flight(attempt.number)) co_return;
    take_error(in_flight, *head, *std::move(refusal), sending.prefilled());
  } else if (driver_.accepted(attempt.number); call_.facts.stream) {
    co_await read_streamed(in_flight, *head, sending);
  } else {
    co_await read_plain(in_flight, *head);
  }
}

// What the attempt sends, made where it holds up nobody.
net::Task<std::expected<Relay::Sending, llm::RequestError>> Relay::prepare(const Attempt& attempt) {
  const std::uint32_t target = attempt.target;
  const auto aside = [&](auto work) {
    return net::run_aside(loop_context_.loop, loop_context_.aside, std::move(work));
  };
  const bool asks_usage = requests_.asks_usage(target);
  Sending sending{.memory = net::BodyMemory::Share(loop_context_.body_memory), .asks_usage = asks_usage};
  if (attempt.recovery && may_prefill(target)) {
    const std::size_t said = llm::prefill_text(requests_.dialect(target), delivered_.text).size();
    const auto make = [this, target, asks_usage, text = delivered_.text, pieces = delivered_.pieces] {
      return requests_.body_with_prefill(target, asks_usage, text, pieces);
    };
    auto body = call_.body.size() > kMaxTranslatedOnLoop ? co_await aside(make) : make();
    if (said > 0 && body) {
      sending.body = RequestBody(*std::move(body));
      sending.splice.emplace(Splice::Mode::continues, delivered_.text, delivered_.text.size() - said);
      co_return sending;
    }
  }
  if (attempt.recovery) sending.splice.emplace(Splice::Mode::restarts, delivered_.text);
  if (requests_.is_large(target)) {
    auto body = co_await aside([this, target, asks_usage] { return requests_.make_body(target, asks_usage); });
    if (!body) co_return std::unexpected(std::move(body.error()));
    sending.body = *std::move(body);
  } else {
    sending.body = requests_.body(target, asks_usage);
  }
  co_return sending;
}

// The target's dialect has no words for the request, which shows here alone where it was too large to be tried before.
void Relay::end_unsayable(InFlightAttempt& in_flight, const llm::RequestError& problem) {
  in_flight.cause = "the request cannot be said in its dialect: " + problem.message;
  Answer answer = request_error_response(problem, served_by(in_flight.attempt.target, {}));
  keep_error(in_flight, {.attempt = in_flight.attempt.number,
                         .dialect = call_.dialect,
                         .head = std::move(answer.head),
                         .body = std::move(answer.body),
                         .ready = true});
  Failure failure = Failure::of(Category::invalid_request);
  failure.fallback = true;
  failure.evidence = Evidence::does_not_count;
  end(in_flight, {.outcome = Outcome::failed(failure), .answered = false, .may_have_run = false});
}

net::Task<std::expected<net::ResponseHead, net::TransportError>> Relay::send(InFlightAttempt& in_flight,
                                                                             Sending& sending, TimePoint connect_by) {
  const std::uint32_t target = in_flight.attempt.target;
  if (!sending.memory.try_grow(sending.body.own_bytes())) {
    const TimePoint began = now();
    const bool granted = co_await sending.memory.grow(loop_context_.loop, sending.body.own_bytes(),
                                                      saturating_add(began, net::ClientExchange::kMemoryWait));
    // Whoever ended the attempt meanwhile had no exchange to cancel.
    if (!granted || !driver_.in_flight(in_flight.attempt.number)) {
      co_return std::unexpected(
          net::TransportError{.kind = net::TransportError::no_memory, .message = "there is no memory for the request"});
    }
    // The wait was for us, and takes nothing of the time to connect.
    connect_by = std::min(saturating_add(connect_by, elapsed(began, now())), in_flight.attempt.total_by);
  }
  const std::size_t index = upstream(target).provider;
  const Provider& provider = loop_context_.models.providers()[index];
  net::HttpClient& client = *loop_context_.clients[index];
  net::RequestHead request = upstream_request(exchange_.head(), provider, requests_.path(target), call_.dialect);
  request.headers.set(kHopsHeader, hops_after(exchange_.head().headers, loop_context_.instance, index));
  const net::SendDeadlines deadlines{.connect_by = connect_by, .head_by = in_flight.attempt.headers_by};
  // A dead connection shows when it is used, and what is idempotent is then sent again, see was_stale().
  const net::Reuse reuse = call_.options.idempotent ? net::Reuse::trusted : net::Reuse::checked;
  in_flight.upstream.emplace(client.exchange(provider.origin, reuse));
  in_flight.callers_account = names_callers_account(exchange_.head().headers, request.headers);
  const TimePoint sent = now();
  auto head = co_await in_flight.upstream->send(request, sending.body.pieces(), deadlines);
  if (was_stale(in_flight, sent, head)) {
    in_flight.resent = true;
    loop_context_.metrics.count_resent(driver_.execution().plan().targets()[target].name);
    in_flight.upstream.emplace(client.exchange(provider.origin, net::Reuse::never));
    head = co_await in_flight.upstream->send(request, sending.body.pieces(), deadlines);
  }
  co_return head;
}

// A kept connection that breaks at once was most likely lost while nobody used it: to a restart, to a router that
// forgot it, or to a server that had enough of waiting and may have said so before it closed (408, RFC 9110 15.5.9).
// That is no evidence against the target, and there may be a pool full of them, so the attempt goes on over a fresh
// one. One that breaks later has carried the request to a server that read it, and perhaps began to work on it: that is
// the target's failure, for the retry's rules to judge.
bool Relay::was_stale(const InFlightAttempt& in_flight, TimePoint sent,
                      const std::expected<net::ResponseHead, net::TransportError>& head) const {
  if (elapsed(sent, now()) > kDiesAtOnce) return false;
  const bool broke =
      head ? head->status == 408 && head->headers.has_token("connection", "close")
           : head.error().kind == net::TransportError::reset || head.error().kind == net::TransportError::closed_early;
  return broke && in_flight.upstream->reused_connection() && call_.options.idempotent &&
         driver_.in_flight(in_flight.attempt.number) && now() < in_flight.attempt.connect_by;
}

// A request that asked for more than its caller did, and is refused for that, goes out again as the caller wrote it:
// that is evidence of nothing. Where the refusal does not say what it is about, and nothing is known of the target, the
// second answer tells, once. What a refusal says that stands [BUD-10].
net::Task<std::optional<std::string>> Relay::withdraw_question(
    InFlightAttempt& in_flight, Sending& sending, std::expected<net::ResponseHead, net::TransportError>& head) {
  const Attempt& attempt = in_flight.attempt;
  UsageAsking& asking = *upstream(attempt.target).usage_asking;
  const auto says_little = [](int status) { return status == 400 || status == 422; };
  std::string text = co_await read_error(in_flight, *head);
  const bool named = text.contains("stream_options") || text.contains("include_usage");
  // What is too long, or filtered, is not refused for a question.
  const bool unclear = says_little(head->status) && asking.known() == UsageAsking::Known::nothing &&
                       judge(*head, text).value_or(Failure{}).category == Category::invalid_request;
  if (!driver_.in_flight(attempt.number) || !(named || unclear)) co_return text;
  requests_.stop_asking(attempt.target);
  auto again = co_await prepare(attempt);
  if (!driver_.in_flight(attempt.number) || !again) co_return text;
  sending.body = std::move(again->body);
  sending.memory = std::move(again->memory);
  sending.asks_usage = false;
  head = co_await send(in_flight, sending, saturating_add(now(), elapsed(in_flight.started, attempt.connect_by)));
  if (head && is_success(head->status)) asking.note(UsageAsking::Known::refused);
  if (head && unclear && says_little(head->status)) asking.note(UsageAsking::Known::taken);
  co_return std::nullopt;
}

// The body of a refusal. Its status has already decided; one that does not come, or cannot be read, only leaves less to
// say.
net::Task<std::string> Relay::read_error(InFlightAttempt& in_flight, net::ResponseHead& head) {
  const Attempt& attempt = in_flight.attempt;
  std::string text;
  auto body = co_await in_flight.upstream->read_all(kMaxErrorBody, std::min(attempt.headers_by, attempt.total_by));
  if (body && driver_.in_flight(attempt.number)) {
    auto plain = co_await plain_body(loop_context_.loop, head, *std::move(body), kMaxErrorBody);
    if (plain) text = *std::move(plain);
  }
  secrets_of(in_flight).redact(text);
  if (text.empty()) head.headers.erase("content-encoding");
  co_return text;
}

void Relay::take_error(InFlightAttempt& in_flight, net::ResponseHead& head, std::string text, bool prefilled) {
  const Attempt& attempt = in_flight.attempt;
  const Failure failure = judge(head, text).value_or(Failure::of(Category::execution_error));
  in_flight.cause = cause_of_answer(head, words_of(in_flight, head, text, failure));
  AttemptReport report = failed_report(failure, true);
  // Whoever is sent elsewhere for ever is sent there the next time too: it is the base URL that is wrong.
  if (head.status >= 300 && head.status <= 399) report.outcome.failure->retryable = false;
  if (prefilled && failure.category == Category::invalid_request) {
    // The request was good before the prefill was added: the same target may start again.
    refused_prefill_ |= std::uint64_t{1} << attempt.target;
    report.outcome.failure->retryable = true;
    report.outcome.failure->fallback = true;
    report.outcome.failure->evidence = Evidence::does_not_count;
  }
  keep_error(in_flight, {.attempt = attempt.number,
                         .dialect = requests_.dialect(attempt.target),
                         .head = std::move(head),
                         .body = std::move(text)});
  end(in_flight, report);
}

// `begun` is what has been read of it.
net::Task<void> Relay::read_plain(InFlightAttempt& in_flight, net::ResponseHead& head, std::string begun) {
  const Attempt& attempt = in_flight.attempt;
  // All of it counts as first content: nothing has been handed on, also where a stream was asked for [RTY-3].
  in_flight.body = std::move(begun);
  const auto read = co_await in_flight.upstream->read_rest(
      in_flight.body, kMaxPlainAnswer, std::min(attempt.first_content_by, attempt.total_by), &in_flight.memory);
  if (!driver_.in_flight(attempt.number)) co_return;
  if (!read) {
    observe(in_flight);
    end_broken(in_flight, read.error());
    co_return;
  }
  std::string body = std::exchange(in_flight.body, {});
  if (!attempt.recovery) {
    const TimePoint by = saturating_add(loop_context_.loop.now(), net::ClientExchange::kMemoryWait);
    auto plain = co_await plain_body(loop_context_.loop, head, std::move(body), kMaxPlainAnswer,
                                     {.share = &in_flight.memory, .by = by});
    if (!driver_.in_flight(attempt.number)) co_return;
    if (plain) {
      co_await take_plain(in_flight, head, *std::move(plain));
    } else if (plain.error() == net::DecodeError::no_memory) {
      end_broken(in_flight, {.kind = net::TransportError::no_memory, .message = "there is no memory for the answer"});
    } else {
      in_flight.cause = "its content-encoding cannot be read";
      end(in_flight, failed_report(TransportFault::malformed));
    }
    co_return;
  }
  // An answer that goes on within a stream must be one. It is billed nevertheless.
  in_flight.cause = "a stream was asked for, and its answer is none";
  const llm::AnswerJudgement told =
      llm::judge_answer(requests_.endpoint(attempt.target), head.status, head.headers.get("content-type"), body, {});
  AttemptReport report = failed_report(TransportFault::malformed);
  report.usage = usage_of(told.usage);
  report.seen_output = told.seen.tokens();
  end(in_flight, report);
}

net::Task<void> Relay::take_plain(InFlightAttempt& in_flight, net::ResponseHead& head, std::string body) {
  const Attempt& attempt = in_flight.attempt;
  const llm::Dialect dialect = requests_.dialect(attempt.target);
  const auto look = [&] {
    return llm::judge_answer(requests_.endpoint(attempt.target), head.status, head.headers.get("content-type"), body,
                             {});
  };
  const llm::AnswerJudgement read =
      body.size() > kMaxReadOnLoop ? co_await net::run_aside(loop_context_.loop, loop_context_.aside, look) : look();
  if (!driver_.in_flight(attempt.number)) co_return;
  if (read.failure) {
    // The reader of answers sees that it is none; what that means is the classifier's word.
    const Failure failure = judge(head, body).value_or(*read.failure);
    if (!read.error.empty()) keep_error(in_flight, told_under_success(attempt.number, dialect, failure, read.error));
    in_flight.cause = cause_of_content(read.error);
    end(in_flight, failed_report(failure, true));
    co_return;
  }
  if (is_event_stream(head.headers) && body_kind(body) == BodyKind::json) describe_own_body(head.headers, false);
  // One that has not ended yet, as a background one, stays the object that it is.
  const bool response = call_.endpoint == llm::Endpoint::responses && !read.finish_reason.empty();
  const bool streamed =
      call_.facts.stream && (response || (llm::translates(call_.endpoint) && call_.facts.choices == 1));
  if (dialect != call_.dialect || streamed) {
    const llm::StreamOrigin origin{.created = std::chrono::system_clock::to_time_t(loop_context_.wall.now()),
                                   .include_usage = call_.facts.include_usage};
    const auto say = [&] {
      if (response) return std::expected<std::string, std::string>(llm::response_events(body));
      return streamed ? as_stream(dialect, call_.dialect, body, origin)
                      : llm::translate_answer(dialect, call_.dialect, body, origin);
    };
    auto said = body.size() > kMaxTranslatedOnLoop
                    ? co_await net::run_aside(loop_context_.loop, loop_context_.aside, say)
                    : say();
    if (!driver_.in_flight(attempt.number)) co_return;
    if (!said) {
      in_flight.cause = "its answer cannot be said in the caller's dialect: " + careful_words(said.error());
      AttemptReport report = failed_report(TransportFault::malformed);
      report.usage = usage_of(read.usage);
      report.seen_output = read.seen.tokens();
      end(in_flight, report);
      co_return;
    }
    body = *std::move(said);
  }
  secrets_of(in_flight).redact_usual(body);
  net::ResponseHead ours = answer_head(in_flight, std::move(head), streamed);
  if (read.filtered) {
    end_filtered(
        in_flight,
        {.attempt = attempt.number, .dialect = call_.dialect, .head = std::move(ours), .body = std::move(body)},
        read.usage, read.seen);
    co_return;
  }
  AttemptReport report{.outcome = Outcome::success(),
                       .answered = true,
                       .usage = usage_of(read.usage),
                       .seen_output = read.seen.tokens()};
  if (call_.endpoint == llm::Endpoint::count_tokens) report.usage = TokenUsage{};  // nobody bills it
  end(in_flight, report);
  remember_state(in_flight, read.response_id);
  answer_ = Answer{.head = std::move(ours), .body = std::move(body)};
  answer_memory_ = std::move(in_flight.memory);
}

// No evidence against the target, and nothing to try again: another target is asked only where the plan's fallback_on
// says so. If none answers, the caller reads the reason in what the provider sent.
void Relay::end_filtered(InFlightAttempt& in_flight, UpstreamError answer, const llm::Usage& usage,
                         const llm::SeenOutput& seen) {
  answer.ready = true;
  keep_error(in_flight, std::move(answer));
  AttemptReport report = failed_report(Failure::of(Category::content_policy), true);
  report.usage = usage_of(usage);  // what was filtered is billed
  report.seen_output = seen.tokens();
  in_flight.cause = "its safety system withheld the answer";
  end(in_flight, report);
}

// Tells the driver. Whatever became of the attempt, what its head said of limits holds; and where the caller has part
// of an answer, a failure may be gone on from.
void Relay::end(const InFlightAttempt& in_flight, AttemptReport report) {
  report.window =
      in_flight.callers_account ? std::nullopt : in_flight.window;  // of an account that is the caller's alone
  report.resent = in_flight.resent;
  report.upstream_request_id = in_flight.upstream_request_id;
  if (auto& failure = report.outcome.failure) {
    failure->scope = scope_here(*failure, in_flight.callers_account);
    report.cause = in_flight.cause;
    const std::string_view target = driver_.execution().plan().targets()[in_flight.attempt.target].name;
    loop_context_.failures.attempt_failed(target, failure->category, in_flight.cause);
  }
  if (driver_.execution().committed()) report.recovery = recovery();
  driver_.report(in_flight.attempt.number, report);
}

// No answer, or only a part of one.
void Relay::end_broken(InFlightAttempt& in_flight, const net::TransportError& error) {
  in_flight.cause = cause_of_break(in_flight, error);
  end(in_flight, report_of(error));
}

std::string Relay::cause_of_break(const InFlightAttempt& in_flight, const net::TransportError& error) const {
  const Attempt& attempt = in_flight.attempt;
  switch (const TransportFault fault = fault_of(error)) {
    case TransportFault::head_timeout:
      return cause_of_waiting(fault, elapsed(in_flight.started, attempt.headers_by));
    case TransportFault::total_timeout:
      return cause_of_waiting(fault, elapsed(in_flight.started, std::min(attempt.first_content_by, attempt.total_by)));
    default:
      return cause_of(error, loop_context_.models.providers()[upstream(attempt.target).provider].origin);
  }
}

// What a refusal says of itself. Of one that speaks of our credential no more than its code: its words may show a part
// of it.
llm::ErrorDetails Relay::words_of(const InFlightAttempt& in_flight, const net::ResponseHead& head,
                                  std::string_view body, const Failure& failure) const {
  llm::ErrorDetails words = llm::judge_answer(requests_.endpoint(in_flight.attempt.target), head.status,
                                              head.headers.get("content-type"), body, {})
                                .error;
  if (failure.category == Category::authentication) words.message.clear();
  return words;
}

void Relay::cancel(std::uint32_t attempt) {
  for (InFlightAttempt* in_flight = attempts_in_flight_; in_flight != nullptr; in_flight = in_flight->next) {
    if (in_flight->attempt.number == attempt && in_flight->upstream) in_flight->upstream->cancel();
  }
}

void Relay::shut_down() {
  shut_down_ = true;
  driver_.leave();
}

net::Task<void> Relay::answer_shut_down() {
  constexpr std::string_view kWhy = "the gateway is shutting down and the time for calls that run is over";
  if (exchange_.started()) {
    co_await end_stream_with(kWhy);
  } else {
    Answer answer = gateway_error_response(llm::GatewayError::shutting_down, kWhy, served_by(std::nullopt, {}));
    co_await exchange_.respond(std::move(answer.head), std::move(answer.body));
  }
}

net::Task<void> Relay::answer_failure() {
  const CallRecord& record = driver_.execution().record();
  const std::optional<std::uint32_t> target = telling_target(record);
  const UpstreamError* const telling = telling_error();
  const auto sends = [&](config::Auth auth) { return target && auth_of(*target) == auth; };
  Answer answer = failure_response(record, driver_.execution().plan(),
                                   {.upstream = telling,
                                    .unable = requests_.unable(),
                                    .passthrough = sends(config::Auth::passthrough),
                                    .keyless = sends(config::Auth::none)},
                                   served_by(target, upstream_id(record)));
  if (telling != nullptr && telling->dialect != call_.dialect && !telling->ready) {
    const WallTime wall = loop_context_.wall.now();
    set_rate_headers(answer.head.headers, call_.dialect,
                     {.dialect = telling->dialect,
                      .upstream = read_rate_headers(telling->dialect, telling->head.headers, wall),
                      .own = {}},
                     wall);
  }
  tell_own_limits(record, answer.head.headers);
  co_await exchange_.respond(std::move(answer.head), std::move(answer.body));
}

// Of a call that our own limits refused.
void Relay::tell_own_limits(const CallRecord& record, net::Headers& headers) const {
  if (record.ending != Ending::rate_limited) return;
  for (const RejectionRecord& refusal : record.rejections) {
    if (refusal.reason != RejectionReason::rate_limited) continue;
    const LimitView own = refused_view(limit_view(state_of(refusal.target), now()),
                                       {.reason = refusal.reason, .retry_after = refusal.retry_after});
    set_rate_headers(headers, call_.dialect, {.dialect = call_.dialect, .own = own}, loop_context_.wall.now());
    return;
  }
}

// What the caller reads above an answer of this attempt's.
net::ResponseHead Relay::answer_head(const InFlightAttempt& in_flight, net::ResponseHead&& upstream,
                                     bool streamed) const {
  const std::uint32_t target = in_flight.attempt.target;
  const llm::Dialect dialect = requests_.dialect(target);
  TargetState& state = state_of(target);
  const bool tells_limits = state.limits() != nullptr || state.adaptive_rate() != nullptr || dialect != call_.dialect;
  const WallTime wall = tells_limits ? loop_context_.wall.now() : WallTime();
  const LimitView told = tells_limits ? read_rate_headers(dialect, upstream.headers, wall) : LimitView();
  net::ResponseHead head =
      caller_response(std::move(upstream), served_by(target, in_flight.upstream_request_id), dialect);
  secrets_of(in_flight).redact(head.headers);
  if (streamed || dialect != call_.dialect) describe_own_body(head.headers, streamed);
  if (tells_limits) {
    set_rate_headers(head.headers, call_.dialect,
                     {.dialect = dialect, .upstream = told, .own = limit_view(state, now())}, wall);
  }
  return head;
}

// What the upstream says of its own limits. Many say nothing.
std::optional<ServerWindow> Relay::window_of(std::uint32_t target, const net::Headers& headers) const {
  if (!tells_rates(headers)) return std::nullopt;
  return server_window(read_rate_headers(requests_.dialect(target), headers, loop_context_.wall.now()));
}

void Relay::keep_error(const InFlightAttempt& in_flight, UpstreamError error) {
  const Redactor& secrets = secrets_of(in_flight);
  secrets.redact(error.body);
  secrets.redact(error.head.headers);
  if (!first_error_) {
    first_error_ = std::move(error);
  } else {
    last_error_ = std::move(error);
  }
}

const UpstreamError* Relay::telling_error() const noexcept {
  const auto telling = driver_.execution().record().primary_attempt;
  for (const auto* error : {&first_error_, &last_error_}) {
    if (*error && telling == (*error)->attempt) return &**error;
  }
  return nullptr;
}

AttemptReport Relay::report_of(const net::TransportError& error) const {
  const TransportFault fault = fault_of(error);
  AttemptReport report = failed_report(fault);
  report.connected = was_connected(fault);
  report.may_have_run = error.request_may_have_run;
  if (error.ours) report.outcome.failure->evidence = Evidence::does_not_count;
  return report;
}

std::optional<Failure> Relay::judge(const net::ResponseHead& head, std::string_view body) const {
  std::vector<HeaderField> headers;
  for (const net::Header field : head.headers) headers.push_back({field.name, field.value});
  const CallEvidence evidence{.status = head.status, .headers = headers, .body = body, .now = loop_context_.wall.now()};
  return classify(evidence, loop_context_.models.classify_rules()).failure;
}

// Nobody in particular where no target is given the caller's credential.
CallerHash Relay::caller() const {
  for (std::uint32_t target = 0; target < call_.route->upstreams.size(); ++target) {
    if (auth_of(target) == config::Auth::passthrough) return caller_hash(exchange_.head().headers);
  }
  return {};
}

config::Auth Relay::auth_of(std::uint32_t target) const {
  return loop_context_.models.providers()[upstream(target).provider].auth;
}

void Relay::remember_state(const InFlightAttempt& in_flight, std::string_view id) {
  if (call_.endpoint == llm::Endpoint::responses) {
    loop_context_.provider_affinity.remember(id, upstream(in_flight.attempt.target).provider);
  }
}

const Redactor& Relay::secrets_of(const InFlightAttempt& in_flight) const {
  return loop_context_.models.providers()[upstream(in_flight.attempt.target).provider].secrets;
}

void Relay::caller_gone() {
  for (const InFlightAttempt* in_flight = attempts_in_flight_; in_flight != nullptr; in_flight = in_flight->next)
    observe(*in_flight);
  driver_.leave();
}

ServedBy Relay::served_by(std::optional<std::uint32_t> target, std::string_view upstream_request_id) const noexcept {
  const CallRecord& record = driver_.execution().record();
  return {.request_id = call_.request_id,
          .target = target ? std::string_view(driver_.execution().plan().targets()[*target].name) : std::string_view(),
          .attempts = record.attempts_sent,
          .demo = loop_context_.demo,
          .dialect = call_.dialect,
          .upstream_request_id = upstream_request_id};
}

}  // namespace fuseboard::gateway
