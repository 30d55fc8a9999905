// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_table.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard::gateway {
namespace {

void add_credential(net::Headers& headers, const config::ProviderConfig& provider) {
  switch (provider.auth) {
    case config::Auth::none:
    case config::Auth::passthrough:
      return;
    case config::Auth::bearer:
      return headers.set("authorization", "Bearer " + provider.api_key.reveal());
    case config::Auth::x_api_key:
      return headers.set("x-api-key", provider.api_key.reveal());
    case config::Auth::api_key:
      return headers.set("api-key", provider.api_key.reveal());
  }
}

llm::Dialect to_dialect(config::Dialect dialect) {
  return dialect == config::Dialect::openai ? llm::Dialect::openai : llm::Dialect::anthropic;
}

// Callers' credentials are their own: one that is refused says nothing of the others, so none is parked.
bool has_own_credential(const config::ProviderConfig& provider) {
  return provider.auth != config::Auth::none && provider.auth != config::Auth::passthrough;
}

Upstream make_upstream(std::size_t provider, const config::TargetConfig& target) {
  return {.provider = provider, .model = target.model, .prefill = target.prefill, .max_tokens = target.max_tokens};
}

Provider make_provider(const config::ProviderConfig& from) {
  Provider provider{.name = from.name,
                    .dialect = to_dialect(from.dialect),
                    .auth = from.auth,
                    .origin = {.tls = from.base_url.tls, .host = from.base_url.host, .port = from.base_url.port},
                    .path_prefix = from.base_url.path,
                    .query = {},
                    .headers = {},
                    .ca_file = from.ca_file};
  for (const config::ExtraField& field : from.query) {
    if (!provider.query.empty()) provider.query += '&';
    provider.query += net::percent_encode(field.name) + '=' + net::percent_encode(field.value.reveal());
  }
  add_credential(provider.headers, from);
  for (const config::ExtraField& field : from.headers) provider.headers.set(field.name, field.value.reveal());
  return provider;
}

}  // namespace

ModelTable::ModelTable(const config::Config& config, BreakerRegistry& breakers)
    : config_(config), prices_(config.prices, config.on_missing_price), breakers_(breakers) {
  std::map<std::string, std::size_t, std::less<>> provider_index;
  for (const config::ProviderConfig& provider : config.providers) {
    provider_index.emplace(provider.name, providers_.size());
    providers_.push_back(make_provider(provider));
    credentials_.push_back(has_own_credential(provider) ? std::make_shared<CredentialGate>(provider.name) : nullptr);
  }
  for (const config::ModelConfig& model : config.models) {
    auto route = std::make_shared<Route>();
    route->name = model.alias;
    route->stream_recovery = model.stream_recovery;
    route->malformed_events = model.malformed_events;
    route->unsupported_fields = model.unsupported_fields;
    std::vector<Target> targets;
    for (const config::TargetConfig& target : model.targets) {
      const auto provider = provider_index.find(target.provider);
      check_invariant(provider != provider_index.end(), "a checked configuration names existing providers");
      targets.push_back(make_target(target, true));
      route->upstreams.push_back(make_upstream(provider->second, target));
    }
    route->plan = std::make_shared<const Plan>(model.alias, std::move(targets), model.plan);
    by_name_.emplace(model.alias, route);
    routes_.push_back(std::move(route));
  }
}

std::shared_ptr<const Route> ModelTable::find(std::string_view model) {
  const auto found = by_name_.find(model);
  return found != by_name_.end() ? found->second : find_direct(model);
}

bool ModelTable::knows_few_routes() {
  const MutexLock lock(mutex_);
  return direct_.size() < kMaxDirectRoutes;
}

Target ModelTable::make_target(const config::TargetConfig& target, bool remember) {
  const KeyView key{std::string_view(target.provider), std::string_view(target.model)};
  const auto provider =
      static_cast<std::uint32_t>(std::ranges::find(providers_, target.provider, &Provider::name) - providers_.begin());
  const auto& credential = credentials_[provider];
  const auto price = prices_.price(target.provider, target.model);
  Target made{.name = to_text(key),
              .state = nullptr,
              .timeouts = target.timeouts,
              .traits = {.credential = credential == nullptr ? kNoCredential : provider + 1,
                         .provider = provider,
                         .context_window = target.context_window,
                         .weight = target.weight},
              .price = price.value_or(std::nullopt),
              .needs_price = !price};
  const MutexLock lock(mutex_);
  if (const auto known = states_.find(made.name); known != states_.end()) {
    made.state = known->second;
    return made;
  }
  const BreakerScopes scopes{breakers_.handle(key, target.breaker)};
  made.state = std::make_shared<TargetState>(scopes, target.state, key, credential);
  if (remember) states_.emplace(made.name, made.state);
  return made;
}

std::shared_ptr<const Route> ModelTable::find_direct(std::string_view model) {
  const std::size_t slash = model.find('/');
  if (slash == std::string_view::npos || slash + 1 == model.size() || model.size() > kMaxDirectName) return nullptr;
  {
    const MutexLock lock(mutex_);
    if (const auto known = direct_.find(model); known != direct_.end()) return known->second;
  }
  const auto target = config_.target(model.substr(0, slash), model.substr(slash + 1));
  if (!target) return nullptr;
  const auto provider = std::ranges::find(providers_, target->provider, &Provider::name);
  auto route = std::make_shared<Route>();
  route->name = std::string(model);
  route->configured = false;
  route->upstreams.push_back(make_upstream(static_cast<std::size_t>(provider - providers_.begin()), *target));
  const bool remember = knows_few_routes();
  route->plan = std::make_shared<const Plan>(route->name, std::vector<Target>{make_target(*target, remember)});
  const MutexLock lock(mutex_);
  if (remember) direct_.emplace(route->name, route);
  return route;
}

}  // namespace fuseboard::gateway
