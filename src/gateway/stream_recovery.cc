// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/stream_recovery.h"

namespace fuseboard::gateway {

std::optional<StreamRecovery> BegunStream::recovery(const ModelCall& call) const {
  if (call.route->stream_recovery == config::StreamRecoveryMode::fail) return std::nullopt;
  if (!delivered.whole || !delivered.recovery_point || delivered.text.empty()) return std::nullopt;
  StreamRecovery recovery;
  for (std::uint32_t target = 0; target < call.route->upstreams.size(); ++target) {
    if (may_prefill(call, target)) recovery.prefer |= std::uint64_t{1} << target;
  }
  return recovery;
}

bool BegunStream::may_prefill(const ModelCall& call, std::uint32_t target) const {
  return call.route->stream_recovery == config::StreamRecoveryMode::continue_answer && call.facts.continuable &&
         call.route->upstreams[target].request.prefill && ((refused_prefill >> target) & 1U) == 0;
}

}  // namespace fuseboard::gateway
