// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A routing and what outlives it, as a gateway has them.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "config/config.h"
#include "fuseboard/core/clock.h"
#include "gateway/direct_routes.h"
#include "gateway/parked_credentials.h"
#include "gateway/provider_ids.h"
#include "gateway/registry_options.h"
#include "gateway/routing.h"

namespace fuseboard::gateway {

// A provider with one model, under two aliases.
inline config::Config one_provider() {
  config::Config config;
  config::ProviderConfig provider;
  provider.name = "p";
  provider.base_url = {.tls = false, .host = "127.0.0.1", .port = 1, .path = "/v1"};
  config.providers.push_back(std::move(provider));
  config.models = {
      {.alias = "fast", .targets = {{.provider = "p", .model = "m", .breaker = {}, .timeouts = {}}}, .plan = {}},
      {.alias = "smart", .targets = {{.provider = "p", .model = "m", .breaker = {}, .timeouts = {}}}, .plan = {}}};
  return config;
}

struct TestRouting {
  explicit TestRouting(const config::Config& config, const Clock& clock = SteadyClock::instance())
      : targets(registry_options(config), clock),
        routing(std::make_shared<const Routing>(config, make_providers(config, ids), targets, askings)),
        direct(routing, targets, askings, clock) {}

  // By alias or by "provider/model".
  std::shared_ptr<const Route> find(std::string_view model) {
    auto route = routing->find(model);
    return route != nullptr ? route : direct.find(routing, model);
  }
  void change(const config::Config& config) {
    targets.apply(registry_options(config));
    routing = std::make_shared<const Routing>(config, make_providers(config, ids), targets, askings);
    direct.adopt(routing);
  }
  // What is parked of the providers that it has now.
  std::vector<ParkedCredential> parked(TimePoint now) const { return parked_credentials(now, *routing, targets); }

  ProviderIds ids;
  TargetRegistry targets;
  UsageAskings askings;
  std::shared_ptr<const Routing> routing;
  DirectRoutes direct;
};

}  // namespace fuseboard::gateway
