// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_table.h"

#include <algorithm>
#include <utility>

#include "config/header_names.h"
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
  switch (dialect) {
    case config::Dialect::openai:
      return llm::Dialect::openai;
    case config::Dialect::anthropic:
      return llm::Dialect::anthropic;
  }
  std::unreachable();
}

// Callers' credentials are their own: one that is refused says nothing of the others, so none is parked. A provider
// without a key that wants one refuses everybody alike, and one of its `headers` may be its key.
bool has_own_credential(const config::ProviderConfig& provider) { return provider.auth != config::Auth::passthrough; }

// What an upstream must not tell anybody of what it is sent: the credential, and what may be one among the extras. That
// a short one is none can be told by its name alone.
std::vector<std::string> secrets_of(const config::ProviderConfig& from) {
  constexpr std::size_t kLongEnough = 16;
  std::vector<std::string> secrets = {from.api_key.reveal()};
  for (const auto* const fields : {&from.headers, &from.query}) {
    for (const config::ExtraField& field : *fields) {
      const std::string& value = field.value.reveal();
      if (value.size() < kLongEnough && !config::is_credential_header(config::lowercase(field.name))) continue;
      secrets.push_back(value);
      // "Basic dXNlcg==": echoed without the scheme, too.
      if (const std::size_t space = value.rfind(' '); space != std::string::npos)
        secrets.push_back(value.substr(space + 1));
    }
  }
  return secrets;
}

Provider make_provider(const config::ProviderConfig& from) {
  Provider provider{.name = from.name,
                    .dialect = to_dialect(from.dialect),
                    .auth = from.auth,
                    .cap_field = from.cap_field,
                    .origin = {.tls = from.base_url.tls, .host = from.base_url.host, .port = from.base_url.port},
                    .path_prefix = from.base_url.path,
                    .query = {},
                    .headers = {},
                    .forward_headers = from.forward_headers,
                    .ca_file = from.ca_file};
  for (const config::ExtraField& field : from.query) {
    if (!provider.query.empty()) provider.query += '&';
    provider.query += net::percent_encode(field.name) + '=' + net::percent_encode(field.value.reveal());
  }
  add_credential(provider.headers, from);
  for (const config::ExtraField& field : from.headers) provider.headers.set(field.name, field.value.reveal());
  provider.secrets = Redactor(secrets_of(from));
  return provider;
}

}  // namespace

ModelTable::ModelTable(const config::Config& config, BreakerRegistry& breakers, const Clock& clock)
    : config_(config),
      prices_(config.prices, config.on_missing_price),
      breakers_(breakers),
      clock_(clock),
      crowded_(config.providers.size()) {
  for (const config::ProviderConfig& provider : config.providers) {
    providers_.push_back(make_provider(provider));
    credentials_.push_back(has_own_credential(provider) ? std::make_shared<CredentialGate>(provider.name) : nullptr);
    const bool brought = provider.auth == config::Auth::passthrough;
    callers_.push_back(brought ? std::make_shared<CallerThrottles>() : nullptr);
  }
  const MutexLock lock(mutex_);
  for (const config::ModelConfig& model : config.models) {
    auto route = std::make_shared<Route>();
    route->name = model.alias;
    route->stream_recovery = model.stream_recovery;
    route->malformed_events = model.malformed_events;
    route->unsupported_fields = model.unsupported_fields;
    std::vector<Target> targets;
    for (const config::TargetConfig& target : model.targets) {
      check_invariant(index_of(target.provider) < providers_.size(),
                      "a checked configuration names existing providers");
      const KeyView key{std::string_view(target.provider), std::string_view(target.model)};
      Shared& shared = shared_[to_text(key)];
      if (shared.state == nullptr) {
        shared = {.state = make_state(target, key), .usage_asking = std::make_shared<UsageAsking>()};
      }
      targets.push_back(make_target(target, shared.state));
      route->upstreams.push_back(make_upstream(target, shared.usage_asking));
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

std::size_t ModelTable::index_of(std::string_view provider) const {
  return static_cast<std::size_t>(std::ranges::find(providers_, provider, &Provider::name) - providers_.begin());
}

Upstream ModelTable::make_upstream(const config::TargetConfig& target, std::shared_ptr<UsageAsking> asking) const {
  return {.provider = index_of(target.provider),
          .model = target.model,
          .request = target.request,
          .counts_tokens = counts_tokens(target),
          .usage_asking = std::move(asking)};
}

bool ModelTable::counts_tokens(const config::TargetConfig& target) const {
  const auto caps_tokens = [](const BudgetCaps& caps) { return caps.tokens || caps.usd; };
  const BudgetOptions& budgets = config_.budgets;
  const bool capped = caps_tokens(budgets.global) || caps_tokens(budgets.session) ||
                      std::ranges::any_of(budgets.keys, caps_tokens, &BudgetOptions::ForKey::caps);
  const auto price = prices_.price(target.provider, target.model);
  return capped || (price && price->has_value()) || target.state.limits.tokens_per_minute.has_value();
}

Target ModelTable::make_target(const config::TargetConfig& target, std::shared_ptr<TargetState> state) const {
  const std::size_t provider = index_of(target.provider);
  const auto number = static_cast<std::uint32_t>(provider);
  const auto price = prices_.price(target.provider, target.model);
  return {.name = to_text(KeyView{std::string_view(target.provider), std::string_view(target.model)}),
          .state = std::move(state),
          .timeouts = target.timeouts,
          .traits = {.credential = credentials_[provider] == nullptr ? kNoCredential : number + 1,
                     .provider = number,
                     .context_window = target.context_window,
                     .weight = target.weight},
          .price = price.value_or(std::nullopt),
          .needs_price = !price};
}

std::shared_ptr<TargetState> ModelTable::make_state(const config::TargetConfig& target, KeyView key) {
  const std::size_t provider = index_of(target.provider);
  return std::make_shared<TargetState>(BreakerScopes{breakers_.handle(key, target.breaker)}, target.state, key,
                                       credentials_[provider], Rng::random_seed(), callers_[provider]);
}

std::shared_ptr<const Route> ModelTable::find_direct(std::string_view model) {
  const std::size_t slash = model.find('/');
  if (slash == std::string_view::npos || slash + 1 == model.size() || model.size() > kMaxDirectName) return nullptr;
  const MutexLock lock(mutex_);
  if (const auto known = direct_index_.find(model); known != direct_index_.end()) {
    direct_.splice(direct_.end(), direct_, known->second);
    return known->second->route;
  }
  const auto target = config_.target(model.substr(0, slash), model.substr(slash + 1));
  if (!target) return nullptr;
  const std::size_t provider = index_of(target->provider);
  const KeyView key{std::string_view(target->provider), std::string_view(target->model)};
  const bool remember = make_room_locked();
  std::shared_ptr<TargetState> state;
  std::shared_ptr<TargetState> own;
  auto asking = std::make_shared<UsageAsking>();
  if (const auto configured = shared_.find(to_text(key)); configured != shared_.end()) {
    state = configured->second.state;
    asking = configured->second.usage_asking;
  } else if (remember) {
    state = own = make_state(*target, key);
  } else {
    auto& crowded = crowded_[provider];
    if (crowded == nullptr) crowded = make_state(*target, KeyView{std::string_view(target->provider), "*"});
    state = crowded;
  }
  auto route = std::make_shared<Route>();
  route->name = std::string(model);
  route->configured = false;
  route->upstreams.push_back(make_upstream(*target, std::move(asking)));
  route->plan = std::make_shared<const Plan>(route->name, std::vector<Target>{make_target(*target, std::move(state))});
  if (remember) {
    direct_.push_back({.name = route->name, .route = route, .state = std::move(own)});
    direct_index_.emplace(direct_.back().name, std::prev(direct_.end()));
  }
  return route;
}

bool ModelTable::make_room_locked() {
  if (direct_.size() < kMaxDirectRoutes) return true;
  const TimePoint now = clock_.now();
  std::optional<DirectList::iterator> goes;
  for (auto it = direct_.begin(); it != direct_.end(); ++it) {
    const bool proven = it->state == nullptr || it->state->has_served();
    // Routes are given away under this mutex alone, so who does not hold it now never will.
    if ((goes && proven) || it->route.use_count() > 1 || (it->state != nullptr && !it->state->at_rest(now))) continue;
    goes = it;
    if (!proven) break;
  }
  if (!goes) return false;
  direct_index_.erase((*goes)->name);
  direct_.erase(*goes);
  return true;
}

std::size_t ModelTable::direct_routes() const {
  const MutexLock lock(mutex_);
  return direct_.size();
}

// Calls use(state, model) for every state that somebody may ask again.
void ModelTable::each_state_locked(auto use) const {
  const auto model_in = [](std::string_view name) { return name.substr(name.find('/') + 1); };
  for (const auto& [name, shared] : shared_) use(*shared.state, model_in(name));
  for (const Direct& direct : direct_) {
    if (direct.state != nullptr) use(*direct.state, model_in(direct.name));
  }
  for (const auto& state : crowded_) {
    if (state != nullptr) use(*state, "*");
  }
}

std::vector<ParkedCredential> ModelTable::parked(TimePoint now) const {
  using Part = ParkedCredential::Part;
  std::vector<ParkedCredential> parked;
  const auto note = [&](const Provider& provider, Part part, std::string_view name, const ParkingGate::Snapshot& gate) {
    if (!gate.parked) return;
    parked.push_back({.provider = provider.name,
                      .part = part,
                      .name = std::string(name),
                      .remaining = elapsed(now, *gate.until),
                      .parked_for = elapsed(*gate.parked_since, now),
                      .reason = *gate.category,
                      .probe_in_flight = gate.probe_in_flight,
                      .denials = gate.denials});
  };
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < providers_.size(); ++i) {
    CredentialGate* const credential = credentials_[i].get();
    if (credential == nullptr) continue;
    note(providers_[i], Part::credential, "", credential->snapshot(now));
    for (std::uint8_t endpoint = 0; endpoint < kMaxEndpoints; ++endpoint)
      note(providers_[i], Part::endpoint, endpoint_path(endpoint), credential->snapshot(now, endpoint));
    each_state_locked([&](TargetState& state, std::string_view model) {
      if (state.credential() == credential)
        note(providers_[i], Part::model, model, state.parked_model()->snapshot(now));
    });
  }
  return parked;
}

bool ModelTable::unpark(std::string_view provider) {
  const std::size_t index = index_of(provider);
  CredentialGate* const credential = index < providers_.size() ? credentials_[index].get() : nullptr;
  if (credential == nullptr) return false;
  credential->unpark();
  const MutexLock lock(mutex_);
  each_state_locked([&](TargetState& state, std::string_view /*model*/) {
    if (state.credential() == credential) state.parked_model()->unpark();
  });
  return true;
}

}  // namespace fuseboard::gateway
