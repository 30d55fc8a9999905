// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/series_names.h"

namespace fuseboard::gateway {

telemetry::CallSeries::Names series_names(const Routing& routing) {
  telemetry::CallSeries::Names names;
  for (const auto& route : routing.routes()) names.plans.push_back(route->plan);
  for (const auto& provider : routing.providers()) names.providers.insert(provider->name);
  return names;
}

}  // namespace fuseboard::gateway
