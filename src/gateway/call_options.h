// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The caller's own wishes for a call.
#pragma once

#include <expected>

#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/execution.h"
#include "llm/request.h"
#include "net/http.h"

namespace fuseboard::gateway {

// What the x-fuseboard-* headers of a request ask for. The session is a view into `headers`, which must outlive the
// call.
std::expected<CallOptions, llm::RequestError> read_call_options(const net::Headers& headers, TimePoint now);

}  // namespace fuseboard::gateway
