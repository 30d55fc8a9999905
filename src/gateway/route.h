// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a model's name leads to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "fuseboard/pipeline/plan.h"
#include "gateway/provider.h"
#include "gateway/usage_asking.h"

namespace fuseboard::gateway {

// One target of a route: which provider, and what it calls the model.
struct Upstream {
  std::shared_ptr<const Provider> provider;
  std::string model;
  config::RequestOptions request{};
  bool counts_tokens = false;  // a budget, a price or a limit goes by what calls use
  // All routes to a configured target share one.
  std::shared_ptr<UsageAsking> usage_asking = std::make_shared<UsageAsking>();
};

// Immutable.
struct Route {
  std::string name;  // what callers write
  std::shared_ptr<const Plan> plan;
  std::vector<Upstream> upstreams;  // one for each of the plan's targets
  config::StreamRecoveryMode stream_recovery = config::StreamRecoveryMode::continue_answer;
  config::MalformedEvents malformed_events = config::MalformedEvents::fail;
  config::UnsupportedFields unsupported_fields = config::UnsupportedFields::reject;
};

}  // namespace fuseboard::gateway
