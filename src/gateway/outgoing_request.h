// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an attempt sends: the request in its target's dialect.
#pragma once

#include <expected>
#include <optional>

#include "gateway/model_attempt.h"
#include "gateway/splice.h"
#include "gateway/target_requests.h"
#include "llm/request.h"

namespace fuseboard::gateway {

struct OutgoingRequest {
  // Made where it holds up nobody. An error: the request cannot be translated to the target's dialect.
  static net::Task<std::expected<OutgoingRequest, llm::RequestError>> make(const ModelAttempt& attempt);

  // Returns the head of what comes of it. May be called again when that is there. It must outlive the sending.
  net::Task<std::expected<net::ResponseHead, net::TransportError>> send(ModelAttempt& attempt, TimePoint connect_by);

  RequestBody body;
  net::BodyMemory::Share memory{};  // of what the body does not share with the caller's
  bool asks_usage = false;          // for the gateway alone
  // Of an attempt that recovers an answer: how the two are joined.
  std::optional<Splice> splice{};
  bool prefilled() const noexcept { return splice && splice->mode() == Splice::Mode::continues; }
};

// Ends an attempt whose request cannot be translated, which shows here alone where it was too large to be tried before.
void end_untranslatable(ModelAttempt& attempt, const llm::RequestError& problem);

}  // namespace fuseboard::gateway
