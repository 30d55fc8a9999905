// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A call to a model on its way: what its attempts share.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/error_response.h"
#include "gateway/exchange.h"
#include "gateway/header_policy.h"
#include "gateway/kept_errors.h"
#include "gateway/loop_context.h"
#include "gateway/model_call.h"
#include "gateway/stream_recovery.h"
#include "gateway/target_requests.h"
#include "net/server.h"

namespace fuseboard::gateway {

// Ends before the handler of its exchange does, and before its call goes. Loop thread only.
struct RelayedCall final : AttemptTask {
  RelayedCall(LoopContext& its_loop_context, net::ServerExchange& its_caller, const ModelCall& its_call);

  net::Task<void> attempt(const Attempt& attempt) override;
  std::optional<StreamRecovery> recovery() const override { return begun.recovery(call); }

  TimePoint now() const noexcept { return loop_context.clock.now(); }
  const Upstream& upstream(std::uint32_t target) const { return call.route->upstreams[target]; }
  const Provider& provider(std::uint32_t target) const { return *upstream(target).provider; }
  TargetState& state(std::uint32_t target) const { return *exchange.execution().plan().targets()[target].state; }
  // What the caller is told of who gave an answer; no target: nobody did.
  ServedBy served_by(std::optional<std::uint32_t> target, std::string_view upstream_request_id) const noexcept;
  // Later requests that refer to an answer of this target go to its provider.
  void remember_state(std::uint32_t target, std::string_view id);

  LoopContext& loop_context;
  net::ServerExchange& caller;
  const ModelCall& call;
  TargetRequests requests;
  ProtectedExchange exchange;
  BegunStream begun;
  KeptErrors errors;
  std::optional<Answer> answer;  // a plain one, to hand on
  net::BodyMemory::Share answer_memory;
};

}  // namespace fuseboard::gateway
