// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/admin_json.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace fuseboard::gateway {
namespace {

using Json = AdminJson;

Json ago(TimePoint now, const std::optional<TimePoint>& time) {
  return time ? Json(ceil_milliseconds(elapsed(*time, now))) : Json(nullptr);
}

Json category_or_null(const std::optional<Category>& category) {
  return category ? Json(name(*category)) : Json(nullptr);
}

// The objects of a range, in its order.
template <typename Range, typename ToJson>
Json list_of(const Range& range, ToJson to_json) {
  Json list = Json::array();
  for (const auto& one : range) list.push_back(to_json(one));
  return list;
}

}  // namespace

Json transition_json(TimePoint now, const Transition& transition) {
  return {{"ago_ms", ago(now, transition.at)},
          {"from", name(transition.from)},
          {"to", name(transition.to)},
          {"cause", name(transition.cause)},
          {"generation", transition.generation}};
}

Json breaker_json(TimePoint now, const BreakerSnapshot& breaker) {
  const BreakerTotals& totals = breaker.totals;
  return {{"key", to_text(breaker.key.view())},
          {"state", name(breaker.state)},
          {"generation", breaker.generation},
          {"consecutive_failures", breaker.consecutive_failures},
          {"last_failure", category_or_null(breaker.last_failure)},
          {"open_time_ms", ceil_milliseconds(breaker.open_time)},
          {"remaining_ms", ceil_milliseconds(breaker.remaining)},
          {"opened_ago_ms", ago(now, breaker.opened_at)},
          {"times_opened", breaker.times_opened},
          {"denials", breaker.denials},
          {"last_denial_ago_ms", ago(now, breaker.last_denial)},
          {"in_flight", breaker.in_flight},
          {"probes_in_flight", breaker.probes_in_flight},
          {"totals",
           {{"admitted", totals.admitted},
            {"succeeded", totals.succeeded},
            {"failed", totals.failed},
            {"throttled", totals.throttled},
            {"neutral", totals.neutral},
            {"abandoned", totals.abandoned}}},
          {"transitions", list_of(breaker.transitions,
                                  [now](const Transition& transition) { return transition_json(now, transition); })}};
}

Json failure_json(TimePoint now, const std::optional<LastFailure>& failure) {
  if (!failure) return nullptr;
  return {{"category", name(failure->category)}, {"cause", failure->cause.view()}, {"ago_ms", ago(now, failure->at)}};
}

Json target_json(TimePoint now, const Target& target, const Failures& failures) {
  return {{"target", target.name},
          {"admits", !why_closed(now, target)},
          {"last_failure", failure_json(now, failures.last(target.name))}};
}

Json model_json(TimePoint now, const Route& route, const Failures& failures) {
  return {{"model", route.name}, {"targets", list_of(route.plan->targets(), [&](const Target& target) {
                                    return target_json(now, target, failures);
                                  })}};
}

Json parked_credential_json(const ParkedCredential& part) {
  return {
      {name(part.part), part.name}, {"remaining_ms", ceil_milliseconds(part.remaining)}, {"reason", name(part.reason)}};
}

Json provider_credential_json(const CredentialState& state) {
  return {{"provider", state.provider},
          {"parked", state.parked},
          {"remaining_ms", ceil_milliseconds(state.remaining)},
          {"reason", category_or_null(state.reason)},
          {"parts", list_of(state.parts, parked_credential_json)}};
}

Json server_json(const net::HttpServer::Counters& server) {
  return {{"open_connections", server.open_connections},
          {"requests_in_flight", server.requests_in_flight},
          {"requests", server.requests}};
}

Json calls_json(const telemetry::CallSeries::Totals& totals) {
  return {{"total", totals.calls}, {"succeeded", totals.succeeded}, {"attempts", totals.attempts}};
}

Json state_json(const StateSources& sources) {
  const TimePoint now = sources.clock.now();
  return {{"uptime_ms", ceil_milliseconds(elapsed(sources.started, now))},
          {"draining", sources.draining},
          {"calls", calls_json(sources.series.totals())},
          {"server", server_json(sources.server)},
          {"open_circuits", sources.targets.breakers().open_count()},
          {"models", list_of(sources.routing.routes(),
                             [&](const auto& route) { return model_json(now, *route, sources.failures); })},
          {"credentials", list_of(credential_states(now, sources.routing, sources.targets), provider_credential_json)},
          {"breakers", list_of(sources.targets.breakers().snapshot(),
                               [now](const BreakerSnapshot& breaker) { return breaker_json(now, breaker); })}};
}

std::string to_body(const Json& json) { return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n"; }

}  // namespace fuseboard::gateway
