// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The head of an answer as its caller reads it.
#pragma once

#include "gateway/model_attempt.h"
#include "net/http.h"

namespace fuseboard::gateway {

// From the head of this attempt's answer. `streamed`: as a stream that is written here.
net::ResponseHead answer_head(const ModelAttempt& attempt, net::ResponseHead&& upstream, bool streamed);

}  // namespace fuseboard::gateway
