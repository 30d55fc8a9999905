// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The policies' options as the file writes them. Ranges are the options' own: their validate() is asked.
#pragma once

#include "config/layer.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/pipeline/plan.h"

namespace fuseboard::config {

Layer<BreakerOptions> read_breaker(const Cursor& cursor);
Layer<AttemptTimeouts> read_timeouts(const Cursor& cursor);
Layer<PlanOptions> read_retry(const Cursor& cursor);

}  // namespace fuseboard::config
