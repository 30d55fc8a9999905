// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where calls go: one configuration's models, targets and providers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "fuseboard/budget/price.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/target_registry.h"
#include "fuseboard/telemetry/call_series.h"
#include "gateway/provider.h"
#include "gateway/provider_ids.h"
#include "gateway/route.h"
#include "gateway/usage_asking.h"

namespace fuseboard::gateway {

// Immutable, and replaced as a whole: a call keeps the one that it began with [PIP-5].
class Routing {
 public:
  using Providers = std::vector<std::shared_ptr<const Provider>>;

  // `config` has been checked, and `targets` have its options. The providers are those of make_providers().
  Routing(const config::Config& config, Providers providers, TargetRegistry& targets, UsageAskings& askings);

  // By alias; nullptr where there is none. "provider/model" is for DirectRoutes.
  std::shared_ptr<const Route> find(std::string_view alias) const;

  // In the order of the configuration.
  const std::vector<std::shared_ptr<const Route>>& routes() const noexcept { return routes_; }
  const Providers& providers() const noexcept { return providers_; }
  // nullptr where there is none of that name.
  std::shared_ptr<const Provider> find_provider(std::string_view name) const;
  // "provider/model" of all targets that models name.
  const std::set<std::string, std::less<>>& targets() const noexcept { return targets_; }
  const UserRules& classify_rules() const noexcept { return config_.classify_rules; }
  // Its models, targets and providers, which have metrics of their own.
  telemetry::CallSeries::Names series_names() const;

  // What holds for "provider/model", see config::Config::target(). nullopt where there is no such provider.
  std::optional<config::TargetConfig> target(std::string_view provider, std::string_view model) const {
    return config_.target(provider, model);
  }
  // A route of this name to that target alone.
  std::shared_ptr<const Route> route_to(std::string_view name, const config::TargetConfig& target,
                                        std::shared_ptr<TargetState> state, std::shared_ptr<UsageAsking> asking) const;

 private:
  Upstream make_upstream(const config::TargetConfig& target, std::shared_ptr<UsageAsking> asking) const;
  Target make_target(const config::TargetConfig& target, std::shared_ptr<TargetState> state) const;
  bool counts_tokens(const config::TargetConfig& target) const;

  const config::Config config_;
  const PriceTable prices_;
  const Providers providers_;
  std::vector<std::shared_ptr<const Route>> routes_;
  std::map<std::string, std::shared_ptr<const Route>, std::less<>> by_alias_;
  std::set<std::string, std::less<>> targets_;
};

// All that can fail of a routing: throws InvalidOptions for a ca_file that cannot be read.
Routing::Providers make_providers(const config::Config& config, ProviderIds& ids);

}  // namespace fuseboard::gateway
