// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Recovery of a stream that broke off when the caller had a part of it [STR-5]: whether, and by whom best.
//
// The attempt that broke off reports what recovery() says here, and the engine decides who is asked
// (pipeline/stream_recovery.h). That target is given the delivered text as the beginning of its own answer where it may
// (OutgoingRequest::make(), llm/prefill.h), else the request as it was. Its answer is joined to what was delivered by
// splice.h, within answer_stream.h, which keeps the delivered text too; llm::make_recovery_writer() writes it into the
// caller's stream. Where nobody can be asked, interrupted_stream.h ends that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fuseboard/pipeline/execution.h"
#include "gateway/answer_stream.h"
#include "gateway/model_call.h"

namespace fuseboard::gateway {

// What the caller has of a streamed answer, and what is known of who can recover it.
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
