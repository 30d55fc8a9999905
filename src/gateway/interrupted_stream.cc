// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/interrupted_stream.h"

#include <string>

#include "gateway/cause.h"
#include "llm/errors.h"

namespace fuseboard::gateway {

net::Task<void> end_interrupted(RelayedCall& relayed) {
  if (relayed.begun.error_event.empty()) {
    const CallRecord& record = relayed.exchange.execution().record();
    const AttemptRecord& last = record.attempts.back();
    const Plan& plan = relayed.exchange.execution().plan();
    const std::string told = causes(record, plan);
    const std::string_view why = last.failure && !last.unusable ? name(last.failure->category)
                                                                : std::string_view("no other target could continue it");
    co_await end_stream_with(relayed, std::string(why) + " at " + plan.targets()[last.target].name +
                                          (told.empty() ? "" : " (" + told + ")"));
    co_return;
  }
  if (co_await relayed.caller.write(relayed.begun.error_event)) co_await relayed.caller.finish();
}

net::Task<void> end_stream_with(RelayedCall& relayed, std::string_view why) {
  const ModelCall& call = relayed.call;
  const llm::Endpoint spoken = call.endpoint == llm::Endpoint::other ? llm::chat_endpoint(call.dialect) : call.endpoint;
  const std::string event = llm::error_event(spoken, llm::GatewayError::stream_interrupted,
                                             "stream interrupted: " + std::string(why), relayed.begun.delivered.events);
  if (co_await relayed.caller.write(event)) co_await relayed.caller.finish();
}

}  // namespace fuseboard::gateway
