// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/relay.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/failure_answer.h"
#include "gateway/interrupted_stream.h"
#include "gateway/relayed_call.h"

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kShuttingDown = "the gateway is shutting down and the drain timeout has passed";

// What the caller is answered at the end; nullopt: what there is to say is said in the stream, or there is nobody to
// say it to.
std::optional<Answer> final_answer(RelayedCall& relayed) {
  const Execution& execution = relayed.exchange.execution();
  const Ending ending = execution.record().ending;
  if (execution.committed()) return std::nullopt;
  if (ending == Ending::success) return std::move(relayed.answer);
  if (ending != Ending::cancelled) return failure_answer(relayed);
  if (!relayed.exchange.was_shut_down()) return std::nullopt;
  return gateway_error_response(llm::GatewayError::shutting_down, kShuttingDown, relayed.served_by(std::nullopt, {}));
}

void tell_observers(RelayedCall& relayed, const std::optional<Answer>& answer) {
  constexpr std::uint16_t kStreamed = 200;
  CallbackDriver& driver = relayed.exchange.driver();
  const Execution& execution = driver.execution();
  std::vector<std::string> not_asked;
  for (const Untranslatable& one : relayed.requests.untranslatable())
    not_asked.push_back(to_text(one, execution.plan()));
  const bool shut_down = execution.record().ending == Ending::cancelled && relayed.exchange.was_shut_down();
  driver.note_caller_result({.status = answer                  ? static_cast<std::uint16_t>(answer->head.status)
                                       : execution.committed() ? kStreamed
                                                               : std::uint16_t{0},
                             .shut_down = shut_down,
                             .not_asked = not_asked});
  relayed.loop_context.observer.call_ended(relayed.call.options.id, relayed.call.route->plan, execution.record());
}

// Tells the observers, and then the caller what it has not been told while the call ran, if only that its stream is
// complete: whoever has the last byte of an answer and looks at the metrics or the log finds the call there.
net::Task<void> tell_ending(RelayedCall& relayed) {
  std::optional<Answer> answer = final_answer(relayed);
  tell_observers(relayed, answer);
  const CallRecord& record = relayed.exchange.execution().record();
  if (answer) {
    co_await relayed.caller.respond(std::move(answer->head), std::move(answer->body));
  } else if (record.shut_down) {
    co_await end_stream_with(relayed, kShuttingDown);
  } else if (record.ending == Ending::interrupted) {
    co_await end_interrupted(relayed);
  } else if (record.ending == Ending::success) {
    co_await relayed.caller.finish();
  }
}

}  // namespace

// What is only needed at the end is in a frame of its own: this one lives as long as a stream does.
net::Task<void> relay_call(LoopContext& loop_context, net::ServerExchange& caller, const ModelCall& call) {
  RelayedCall relayed(loop_context, caller, call);
  caller.on_gone([&relayed] { relayed.exchange.caller_gone(); });
  co_await relayed.exchange.run();
  co_await tell_ending(relayed);
}

}  // namespace fuseboard::gateway
