// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether a stream that broke off is mended, and by whom [STR-5].
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fuseboard/pipeline/execution.h"
#include "gateway/answer_stream.h"
#include "gateway/model_call.h"

namespace fuseboard::gateway {

// What the caller has of a streamed answer, and what is known of who can go on with it.
struct BegunStream {
  Delivered delivered;
  std::string error_event;            // the upstream's own, of the stream that broke off last
  std::uint64_t refused_prefill = 0;  // by target: what it said in this call

  // nullopt: nobody can.
  std::optional<StreamRecovery> recovery(const ModelCall& call) const;
  // Whether the target may be given what was delivered as the beginning of its own answer.
  bool may_prefill(const ModelCall& call, std::uint32_t target) const;
};

}  // namespace fuseboard::gateway
