// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The question for usage that the gateway adds to a request, and takes back where a target refuses it [BUD-10].
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "gateway/model_attempt.h"
#include "gateway/outgoing_request.h"

namespace fuseboard::gateway {

// A request that asked was answered.
void note_taken(const ModelAttempt& attempt);

// A request that asked for more than its caller did, and is refused for that, goes out again as the caller wrote it:
// that is evidence of nothing. Then `head` is what came of it; else the result is the refusal's body. The attempt may
// not be in flight any more.
net::Task<std::optional<std::string>> withdraw_question(ModelAttempt& attempt, OutgoingRequest& request,
                                                        std::expected<net::ResponseHead, net::TransportError>& head);

}  // namespace fuseboard::gateway
