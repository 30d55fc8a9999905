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

struct CallKind {
  bool idempotent = true;  // where the headers do not say
  bool streaming = false;
};

// What the x-fuseboard-* headers of a request ask for, and where they name no deadline, the one that the caller's SDK
// announces, from `began` on. The session is a view into `headers`, which must outlive the call.
std::expected<CallOptions, llm::RequestError> read_call_options(const net::Headers& headers, TimePoint began,
                                                                const CallKind& kind);

}  // namespace fuseboard::gateway
