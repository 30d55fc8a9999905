// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The routes for whatever watches the process.
#pragma once

#include "gateway/route_context.h"
#include "net/task.h"

namespace fuseboard::gateway {

// GET /healthz: the process answers.
net::Task<void> healthz(RouteContext& context);

// GET /readyz. Ready: not draining, and at least one target of one model would be admitted; without models, where
// callers name providers, at least one credential is not parked. What is parked or refuses is named.
net::Task<void> readyz(RouteContext& context);

// GET /metrics, for Prometheus.
net::Task<void> metrics(RouteContext& context);

}  // namespace fuseboard::gateway
