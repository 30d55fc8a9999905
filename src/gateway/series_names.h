// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The models, targets and providers of a routing that have metrics of their own.
#pragma once

#include "fuseboard/telemetry/call_series.h"
#include "gateway/routing.h"

namespace fuseboard::gateway {

telemetry::CallSeries::Names series_names(const Routing& routing);

}  // namespace fuseboard::gateway
