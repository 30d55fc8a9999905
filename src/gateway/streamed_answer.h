// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An answer that comes as a stream: held back until its first content, then handed on as it arrives [STR-4].
#pragma once

#include "gateway/model_attempt.h"
#include "gateway/outgoing_request.h"
#include "net/http.h"
#include "net/task.h"

namespace fuseboard::gateway {

// Of an attempt that asked for a stream: ends it by its answer, be that a stream or not. The head is of no use
// afterwards.
net::Task<void> read_streamed(ModelAttempt& attempt, net::ResponseHead& head, const OutgoingRequest& request);

}  // namespace fuseboard::gateway
