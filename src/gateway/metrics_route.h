// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "gateway/route_context.h"
#include "net/task.h"

namespace fuseboard::gateway {

// GET /metrics, for Prometheus.
net::Task<void> metrics(RouteContext& context);

}  // namespace fuseboard::gateway
