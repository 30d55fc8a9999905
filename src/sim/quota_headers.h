// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Rate limits as the providers tell them: headers, and the words of a 429.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/core/time.h"
#include "sim/planned_fault.h"
#include "sim/provider_error.h"
#include "sim/reply.h"

namespace fuseboard::sim {

// x-ratelimit-{limit,remaining,reset}-{requests,tokens} with resets such as `1m0s`, or
// anthropic-ratelimit-{requests,tokens,input-tokens}-{limit,remaining,reset} with resets as RFC 3339 dates.
void add_rate_headers(WallTime now, Dialect dialect, const Quota& quota, Reply& reply);

// Why a request was refused that exceeds the quota.
std::string rate_message(Dialect dialect, const Quota& quota, std::string_view model);

}  // namespace fuseboard::sim
