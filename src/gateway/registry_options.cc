// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/registry_options.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/direct_routes.h"
#include "gateway/provider.h"

namespace fuseboard::gateway {
namespace {

ScopeCredential credential_of(const config::ProviderConfig& provider) {
  return is_credential_ours(provider.auth) ? ScopeCredential::shared : ScopeCredential::of_callers;
}

}  // namespace

TargetRegistryOptions registry_options(const config::Config& config) {
  constexpr std::string_view kAny = "*";
  TargetRegistryOptions options;
  std::set<std::pair<std::string_view, std::string_view>> named;
  for (const config::ModelConfig& model : config.models) {
    for (const config::TargetConfig& target : model.targets) {
      if (!named.emplace(target.provider, target.model).second) continue;
      options.targets.push_back({.target = Key(KeyView(std::string_view(target.provider), target.model)),
                                 .options = {.breaker = target.breaker, .state = target.state}});
    }
  }
  for (const config::ProviderConfig& provider : config.providers) {
    options.globs.push_back({.pattern = Key(KeyView(std::string_view(provider.name), kAny)),
                             .options = {.breaker = provider.breaker, .state = provider.state}});
    options.scopes.push_back({.scope = provider.name, .options = {.credential = credential_of(provider)}});
  }
  // Beside the routes that are remembered there are those to be forgotten next, and an overflow target for each
  // provider.
  options.max_targets = named.size() + 2 * DirectRoutes::kMaxDirectRoutes + config.providers.size();
  return options;
}

}  // namespace fuseboard::gateway
