// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Breakers and timeouts as the file writes them. Ranges are the options' own: their validate() is asked.
#pragma once

#include "config/layer.h"
#include "fuseboard/breaker/options.h"
#include "fuseboard/pipeline/target.h"

namespace fuseboard::config {

Layer<BreakerOptions> read_breaker(const Cursor& cursor);
Layer<AttemptTimeouts> read_timeouts(const Cursor& cursor);

}  // namespace fuseboard::config
