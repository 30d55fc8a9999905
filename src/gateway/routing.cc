// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/routing.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard::gateway {
namespace {

KeyView key_of(const config::TargetConfig& target) {
  return KeyView{std::string_view(target.provider), std::string_view(target.model)};
}

}  // namespace

Routing::Providers make_providers(const config::Config& config, ProviderIds& ids) {
  Routing::Providers providers;
  for (const config::ProviderConfig& provider : config.providers)
    providers.push_back(make_provider(provider, ids.id_of(provider.name)));
  return providers;
}

Routing::Routing(const config::Config& config, Providers providers, TargetRegistry& targets, UsageAskings& askings)
    : config_(config), prices_(config.prices, config.on_missing_price), providers_(std::move(providers)) {
  for (const config::ModelConfig& model : config_.models) {
    auto route = std::make_shared<Route>();
    route->name = model.alias;
    route->stream_recovery = model.stream_recovery;
    route->malformed_events = model.malformed_events;
    route->unsupported_fields = model.unsupported_fields;
    std::vector<Target> of_plan;
    for (const config::TargetConfig& target : model.targets) {
      check_invariant(find_provider(target.provider) != nullptr, "a checked configuration names existing providers");
      const KeyView key = key_of(target);
      of_plan.push_back(make_target(target, targets.target(key)));
      route->upstreams.push_back(make_upstream(target, askings.of(key)));
      targets_.insert(of_plan.back().name);
    }
    route->plan = std::make_shared<const Plan>(model.alias, std::move(of_plan), model.plan);
    by_alias_.emplace(model.alias, route);
    routes_.push_back(std::move(route));
  }
}

std::shared_ptr<const Route> Routing::find(std::string_view alias) const {
  const auto found = by_alias_.find(alias);
  return found != by_alias_.end() ? found->second : nullptr;
}

std::shared_ptr<const Provider> Routing::find_provider(std::string_view name) const {
  const auto found = std::ranges::find_if(providers_, [&](const auto& provider) { return provider->name == name; });
  return found != providers_.end() ? *found : nullptr;
}

telemetry::CallSeries::Names Routing::series_names() const {
  telemetry::CallSeries::Names names;
  for (const auto& route : routes_) names.plans.push_back(route->plan);
  for (const auto& provider : providers_) names.providers.insert(provider->name);
  return names;
}

std::shared_ptr<const Route> Routing::route_to(std::string_view name, const config::TargetConfig& target,
                                               std::shared_ptr<TargetState> state,
                                               std::shared_ptr<UsageAsking> asking) const {
  auto route = std::make_shared<Route>();
  route->name = std::string(name);
  route->upstreams.push_back(make_upstream(target, std::move(asking)));
  route->plan = std::make_shared<const Plan>(route->name, std::vector<Target>{make_target(target, std::move(state))});
  return route;
}

Upstream Routing::make_upstream(const config::TargetConfig& target, std::shared_ptr<UsageAsking> asking) const {
  return {.provider = find_provider(target.provider),
          .model = target.model,
          .request = target.request,
          .counts_tokens = counts_tokens(target),
          .usage_asking = std::move(asking)};
}

bool Routing::counts_tokens(const config::TargetConfig& target) const {
  const auto caps_tokens = [](const BudgetCaps& caps) { return caps.tokens || caps.usd; };
  const BudgetOptions& budgets = config_.budgets;
  const bool capped = caps_tokens(budgets.global) || caps_tokens(budgets.session) ||
                      std::ranges::any_of(budgets.keys, caps_tokens, &BudgetOptions::ForKey::caps);
  const auto price = prices_.price(target.provider, target.model);
  return capped || (price && price->has_value()) || target.state.limits.tokens_per_minute.has_value();
}

Target Routing::make_target(const config::TargetConfig& target, std::shared_ptr<TargetState> state) const {
  const auto provider = find_provider(target.provider);
  const std::uint32_t number = std::to_underlying(provider->id);
  const auto price = prices_.price(target.provider, target.model);
  return {.name = to_text(key_of(target)),
          .state = std::move(state),
          .timeouts = target.timeouts,
          .traits = {.credential = provider->has_own_credential() ? number + 1 : kNoCredential,
                     .provider = number,
                     .context_window = target.context_window,
                     .weight = target.weight},
          .price = price.value_or(std::nullopt),
          .needs_price = !price};
}

}  // namespace fuseboard::gateway
