// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failure_answer.h"

#include <optional>
#include <string_view>

#include "gateway/rate_headers.h"

namespace fuseboard::gateway {
namespace {

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

// Of a call that our own limits refused.
void tell_own_limits(const RelayedCall& relayed, net::Headers& headers) {
  const CallRecord& record = relayed.exchange.execution().record();
  if (record.ending != Ending::rate_limited) return;
  const llm::Dialect dialect = relayed.call.dialect;
  for (const RejectionRecord& refusal : record.rejections) {
    if (refusal.reason != RejectionReason::rate_limited) continue;
    const LimitView own = refused_view(limit_view(relayed.now(), relayed.state(refusal.target)),
                                       {.reason = refusal.reason, .retry_after = refusal.retry_after});
    set_rate_headers(relayed.loop_context.wall.now(), headers, dialect, {.dialect = dialect, .own = own});
    return;
  }
}

}  // namespace

Answer failure_answer(const RelayedCall& relayed) {
  const Execution& execution = relayed.exchange.execution();
  const CallRecord& record = execution.record();
  const std::optional<std::uint32_t> target = telling_target(record);
  const UpstreamError* const telling = relayed.errors.of(record);
  const auto sends = [&](config::Auth auth) { return target && relayed.provider(*target).auth == auth; };
  Answer answer = failure_response(record, execution.plan(),
                                   {.upstream = telling,
                                    .unable = relayed.requests.unable(),
                                    .passthrough = sends(config::Auth::passthrough),
                                    .keyless = sends(config::Auth::none)},
                                   relayed.served_by(target, upstream_id(record)));
  const llm::Dialect dialect = relayed.call.dialect;
  if (telling != nullptr && telling->dialect != dialect && !telling->ready) {
    const WallTime wall = relayed.loop_context.wall.now();
    set_rate_headers(wall, answer.head.headers, dialect,
                     {.dialect = telling->dialect,
                      .upstream = read_rate_headers(wall, telling->dialect, telling->head.headers),
                      .own = {}});
  }
  tell_own_limits(relayed, answer.head.headers);
  return answer;
}

}  // namespace fuseboard::gateway
