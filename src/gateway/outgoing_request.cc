// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/outgoing_request.h"

#include <utility>

#include "gateway/caller_account.h"
#include "gateway/hops.h"
#include "llm/prefill.h"

namespace fuseboard::gateway {

net::Task<std::expected<OutgoingRequest, llm::RequestError>> OutgoingRequest::make(const ModelAttempt& attempt) {
  RelayedCall& relayed = attempt.relayed;
  LoopContext& context = relayed.loop_context;
  TargetRequests& requests = relayed.requests;
  const Delivered& delivered = relayed.begun.delivered;
  const std::uint32_t target = attempt.target();
  const bool recovery = attempt.attempt().recovery;
  const auto aside = [&](auto work) { return net::run_aside(context.loop, context.aside, std::move(work)); };
  const bool asks_usage = requests.asks_usage(target);
  OutgoingRequest request{.memory = net::BodyMemory::Share(context.body_memory), .asks_usage = asks_usage};
  if (recovery && relayed.begun.may_prefill(relayed.call, target)) {
    const std::size_t said = llm::prefill_text(requests.dialect(target), delivered.text).size();
    const auto with_prefill = [&requests, target, asks_usage, text = delivered.text, pieces = delivered.pieces] {
      return requests.body_with_prefill(target, asks_usage, text, pieces);
    };
    auto made = relayed.call.body.size() > kMaxTranslatedOnLoop ? co_await aside(with_prefill) : with_prefill();
    if (said > 0 && made) {
      request.body = RequestBody(*std::move(made));
      request.splice.emplace(Splice::Mode::continues, delivered.text, delivered.text.size() - said);
      co_return request;
    }
  }
  if (recovery) request.splice.emplace(Splice::Mode::restarts, delivered.text);
  if (requests.is_large(target)) {
    auto made = co_await aside([&requests, target, asks_usage] { return requests.make_body(target, asks_usage); });
    if (!made) co_return std::unexpected(std::move(made.error()));
    request.body = *std::move(made);
  } else {
    request.body = requests.body(target, asks_usage);
  }
  co_return request;
}

net::Task<std::expected<net::ResponseHead, net::TransportError>> OutgoingRequest::send(ModelAttempt& attempt,
                                                                                       TimePoint connect_by) {
  const RelayedCall& relayed = attempt.relayed;
  const Provider& provider = attempt.provider();
  const net::RequestHead& asked = relayed.caller.head();
  net::RequestHead head =
      upstream_request(asked, provider, relayed.requests.path(attempt.target()), relayed.call.dialect);
  head.headers.set(kHopsHeader, hops_after(asked.headers, relayed.loop_context.instance, provider.id));
  attempt.note_callers_account(names_callers_account(asked.headers, head.headers));
  co_return co_await attempt.send(
      {.head = head, .body = body.pieces(), .own_bytes = body.own_bytes(), .memory = memory, .connect_by = connect_by});
}

void end_untranslatable(ModelAttempt& attempt, const llm::RequestError& problem) {
  RelayedCall& relayed = attempt.relayed;
  Answer answer = request_error_response(problem, relayed.served_by(attempt.target(), {}));
  relayed.errors.keep({.attempt = attempt.number(),
                       .dialect = relayed.call.dialect,
                       .head = std::move(answer.head),
                       .body = std::move(answer.body),
                       .ready = true},
                      attempt.secrets());
  Failure failure = Failure::of(Category::invalid_request);
  failure.fallback = true;
  failure.evidence = Evidence::does_not_count;
  attempt.end({.outcome = Outcome::failed(failure), .answered = false, .may_have_run = false},
              "the request cannot be translated to its dialect: " + problem.message);
}

}  // namespace fuseboard::gateway
