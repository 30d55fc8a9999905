// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/answer_head.h"

#include <utility>

#include "gateway/rate_headers.h"

namespace fuseboard::gateway {

net::ResponseHead answer_head(const ModelAttempt& attempt, net::ResponseHead&& upstream, bool streamed) {
  const RelayedCall& relayed = attempt.relayed;
  const llm::Dialect callers = relayed.call.dialect;
  const llm::Dialect dialect = attempt.dialect();
  TargetState& state = relayed.state(attempt.target());
  const bool tells_limits = state.limits() != nullptr || state.adaptive_rate() != nullptr || dialect != callers;
  net::ResponseHead head =
      caller_response(std::move(upstream), relayed.served_by(attempt.target(), attempt.upstream_request_id()), dialect);
  attempt.secrets().redact(head.headers);
  if (streamed || dialect != callers) describe_own_body(head.headers, streamed);
  if (tells_limits) {
    const TimePoint now = relayed.now();
    set_rate_headers(relayed.loop_context.wall.now(), head.headers, callers,
                     {.dialect = dialect,
                      .upstream = aged(attempt.upstream_limits, elapsed(attempt.head_came, now)),
                      .own = limit_view(now, state)});
  }
  return head;
}

}  // namespace fuseboard::gateway
