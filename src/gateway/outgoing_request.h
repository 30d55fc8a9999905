// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an attempt sends: the request in its target's words.
#pragma once

#include <expected>
#include <optional>

#include "gateway/model_attempt.h"
#include "gateway/splice.h"
#include "gateway/target_requests.h"
#include "llm/request.h"

namespace fuseboard::gateway {

struct OutgoingRequest {
  RequestBody body;
  net::BodyMemory::Share memory{};  // of what the body does not share with the caller's
  bool asks_usage = false;          // for the gateway alone
  // Of an attempt that goes on with an answer: how the two are joined.
  std::optional<Splice> splice{};
  bool prefilled() const noexcept { return splice && splice->mode() == Splice::Mode::continues; }
};

// Made where it holds up nobody.
net::Task<std::expected<OutgoingRequest, llm::RequestError>> make_request(const ModelAttempt& attempt);

// The target's dialect has no words for the request, which shows here alone where it was too large to be tried before.
void end_unsayable(ModelAttempt& attempt, const llm::RequestError& problem);

net::Task<std::expected<net::ResponseHead, net::TransportError>> send(ModelAttempt& attempt, OutgoingRequest& request,
                                                                      TimePoint connect_by);

}  // namespace fuseboard::gateway
