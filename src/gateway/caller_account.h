// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the headers of a request say of its caller's own credential and account. Pure functions.
#pragma once

#include "fuseboard/limit/caller_throttles.h"
#include "net/http.h"

namespace fuseboard::gateway {

// Who a caller is to providers that are given its own credential. A hash: nobody finds a credential by it.
CallerHash caller_hash(const net::Headers& caller);

// Whether the request that was sent names an account that its caller chose: an organization or a project.
bool names_callers_account(const net::Headers& caller, const net::Headers& sent) noexcept;

}  // namespace fuseboard::gateway
