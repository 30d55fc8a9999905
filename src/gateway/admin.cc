// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/admin.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "gateway/credential_state.h"

namespace fuseboard::gateway {
namespace {

using Json = nlohmann::ordered_json;

Json to_milliseconds(Duration duration) { return ceil_milliseconds(duration); }

Json ago(const std::optional<TimePoint>& time, TimePoint now) {
  return time ? Json(ceil_milliseconds(elapsed(*time, now))) : Json(nullptr);
}

Json category(const std::optional<Category>& category) { return category ? Json(name(*category)) : Json(nullptr); }

Json breaker_json(const BreakerSnapshot& breaker, TimePoint now) {
  Json transitions = Json::array();
  for (const Transition& transition : breaker.transitions) {
    transitions.push_back({{"ago_ms", ago(transition.at, now)},
                           {"from", name(transition.from)},
                           {"to", name(transition.to)},
                           {"cause", name(transition.cause)},
                           {"generation", transition.generation}});
  }
  const BreakerTotals& totals = breaker.totals;
  return {{"key", to_text(breaker.key.view())},
          {"state", name(breaker.state)},
          {"generation", breaker.generation},
          {"consecutive_failures", breaker.consecutive_failures},
          {"last_failure", category(breaker.last_failure)},
          {"open_time_ms", to_milliseconds(breaker.open_time)},
          {"remaining_ms", to_milliseconds(breaker.remaining)},
          {"opened_ago_ms", ago(breaker.opened_at, now)},
          {"times_opened", breaker.times_opened},
          {"denials", breaker.denials},
          {"last_denial_ago_ms", ago(breaker.last_denial, now)},
          {"in_flight", breaker.in_flight},
          {"probes_in_flight", breaker.probes_in_flight},
          {"totals",
           {{"admitted", totals.admitted},
            {"succeeded", totals.succeeded},
            {"failed", totals.failed},
            {"throttled", totals.throttled},
            {"neutral", totals.neutral},
            {"abandoned", totals.abandoned}}},
          {"transitions", std::move(transitions)}};
}

Json last_failure_json(const std::optional<LastFailure>& last, TimePoint now) {
  if (!last) return nullptr;
  return {{"category", name(last->category)}, {"cause", last->cause.view()}, {"ago_ms", ago(last->at, now)}};
}

Json model_json(const Route& route, const Failures& failures, TimePoint now) {
  Json targets = Json::array();
  for (const Target& target : route.plan->targets()) {
    targets.push_back({{"target", target.name},
                       {"admits", !why_closed(target, now)},
                       {"last_failure", last_failure_json(failures.last(target.name), now)}});
  }
  return {{"model", route.name}, {"targets", std::move(targets)}};
}

Json credentials_json(const ModelTable& models, TimePoint now) {
  Json credentials = Json::array();
  for (const CredentialState& state : credential_states(models, now)) {
    Json parts = Json::array();
    for (const ParkedCredential& part : state.parts) {
      parts.push_back({{name(part.part), part.name},
                       {"remaining_ms", to_milliseconds(part.remaining)},
                       {"reason", name(part.reason)}});
    }
    credentials.push_back({{"provider", state.provider},
                           {"parked", state.parked},
                           {"remaining_ms", to_milliseconds(state.remaining)},
                           {"reason", category(state.reason)},
                           {"parts", std::move(parts)}});
  }
  return credentials;
}

}  // namespace

std::string state_json(const StateSources& sources) {
  const TimePoint now = sources.clock.now();
  Json breakers = Json::array();
  for (const BreakerSnapshot& breaker : sources.breakers.snapshot()) breakers.push_back(breaker_json(breaker, now));
  Json models = Json::array();
  for (const auto& route : sources.models.routes()) models.push_back(model_json(*route, sources.failures, now));
  const CallMetrics::Totals totals = sources.metrics.totals();
  const Json state = {
      {"uptime_ms", to_milliseconds(elapsed(sources.started, now))},
      {"draining", sources.draining},
      {"calls", {{"total", totals.calls}, {"succeeded", totals.succeeded}, {"attempts", totals.attempts}}},
      {"server",
       {{"open_connections", sources.server.open_connections},
        {"requests_in_flight", sources.server.requests_in_flight},
        {"requests", sources.server.requests}}},
      {"open_circuits", sources.breakers.open_count()},
      {"models", std::move(models)},
      {"credentials", credentials_json(sources.models, now)},
      {"breakers", std::move(breakers)}};
  // Keys may hold any bytes a caller wrote as a model name: what is no plain ASCII is written out, for terminals.
  return state.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace fuseboard::gateway
