// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/relayed_call.h"

#include "gateway/caller_account.h"
#include "gateway/model_attempt.h"

namespace fuseboard::gateway {
namespace {

// Nobody in particular where no target is given the caller's credential.
CallerHash caller_of(const RelayedCall& relayed) {
  for (std::uint32_t target = 0; target < relayed.call.route->upstreams.size(); ++target) {
    if (relayed.provider(target).auth == config::Auth::passthrough) return caller_hash(relayed.caller.head().headers);
  }
  return {};
}

CallOptions options_of(RelayedCall& relayed) {
  CallOptions options = relayed.call.options;
  options.eligibility = &relayed.requests;
  options.caller = caller_of(relayed);
  return options;
}

}  // namespace

// The exchange comes after what its options are made of.
RelayedCall::RelayedCall(LoopContext& its_loop_context, net::ServerExchange& its_caller, const ModelCall& its_call)
    : loop_context(its_loop_context),
      caller(its_caller),
      call(its_call),
      requests(its_call),
      exchange(its_loop_context.for_exchange(), its_call.route->plan, options_of(*this), *this) {}

net::Task<void> RelayedCall::attempt(const Attempt& attempt) { return run_model_attempt(*this, attempt); }

ServedBy RelayedCall::served_by(std::optional<std::uint32_t> target,
                                std::string_view upstream_request_id) const noexcept {
  const Execution& execution = exchange.execution();
  return {.request_id = call.request_id,
          .target = target ? std::string_view(execution.plan().targets()[*target].name) : std::string_view(),
          .attempts = execution.record().attempts_sent,
          .demo = loop_context.demo,
          .dialect = call.dialect,
          .upstream_request_id = upstream_request_id};
}

void RelayedCall::remember_state(std::uint32_t target, std::string_view id) {
  if (call.endpoint == llm::Endpoint::responses) {
    loop_context.provider_affinity.remember(id, provider(target).id);
  }
}

}  // namespace fuseboard::gateway
