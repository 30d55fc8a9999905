// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The admin API, everything below /admin/v1/. Each answers whom admin_problem() lets in.
#pragma once

#include "gateway/route_context.h"
#include "net/task.h"

namespace fuseboard::gateway {

// GET /admin/v1/state
net::Task<void> admin_state(RouteContext& context);

}  // namespace fuseboard::gateway
