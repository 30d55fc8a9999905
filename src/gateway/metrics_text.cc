// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/metrics_text.h"

#include <algorithm>
#include <vector>

#include "fuseboard/telemetry/breaker_gauge.h"
#include "fuseboard/telemetry/exposition.h"
#include "gateway/credential_state.h"
#include "gateway/process_metrics.h"

namespace fuseboard::gateway {
namespace {

using telemetry::Exposition;

void write_breakers(Exposition& out, const Routing& routing, const BreakerRegistry& registry) {
  struct Keyed {
    std::string key;
    BreakerSnapshot breaker;
  };
  std::vector<Keyed> breakers;
  for (BreakerSnapshot& breaker : registry.snapshot()) {
    std::string key = to_text(breaker.key.view());
    if (routing.targets().contains(key)) breakers.push_back({.key = std::move(key), .breaker = std::move(breaker)});
  }

  std::vector<telemetry::BreakerGauge> gauges;
  for (const Keyed& keyed : breakers) gauges.push_back({.key = keyed.key, .state = name(keyed.breaker.state)});
  telemetry::write_breaker_states(out, gauges);
  out.family("fuseboard_breaker_opened_total", Exposition::Type::counter, "Times the circuit opened.");
  for (const Keyed& keyed : breakers) {
    out.sample("fuseboard_breaker_opened_total", {{"key", keyed.key}}, keyed.breaker.times_opened);
  }
  out.family("fuseboard_breaker_denied_total", Exposition::Type::counter, "Admissions refused.");
  for (const Keyed& keyed : breakers) {
    out.sample("fuseboard_breaker_denied_total", {{"key", keyed.key}}, keyed.breaker.denials);
  }
  out.family("fuseboard_breaker_verdicts_total", Exposition::Type::counter, "Settled attempts by verdict.");
  for (const Keyed& keyed : breakers) {
    const BreakerTotals& totals = keyed.breaker.totals;
    const auto sample = [&](std::string_view verdict, std::uint64_t count) {
      out.sample("fuseboard_breaker_verdicts_total", {{"key", keyed.key}, {"verdict", verdict}}, count);
    };
    sample("success", totals.succeeded);
    sample("failure", totals.failed);
    sample("throttled", totals.throttled);
    sample("neutral", totals.neutral);
    sample("abandoned", totals.abandoned);
  }
  out.family("fuseboard_breaker_in_flight", Exposition::Type::gauge, "Admitted and not settled yet.");
  for (const Keyed& keyed : breakers) {
    out.sample("fuseboard_breaker_in_flight", {{"key", keyed.key}}, keyed.breaker.in_flight);
  }
}

void write_server(Exposition& out, const net::HttpServer::Counters& server) {
  out.family("fuseboard_http_connections", Exposition::Type::gauge, "Callers' open connections.");
  out.sample("fuseboard_http_connections", {}, std::uint64_t{server.open_connections});
  out.family("fuseboard_http_requests_in_flight", Exposition::Type::gauge, "Requests being handled.");
  out.sample("fuseboard_http_requests_in_flight", {}, std::uint64_t{server.requests_in_flight});
  out.family("fuseboard_http_requests_total", Exposition::Type::counter, "Requests received.");
  out.sample("fuseboard_http_requests_total", {}, server.requests);
  out.family("fuseboard_http_refused_connections_total", Exposition::Type::counter,
             "Connections refused at the bound.");
  out.sample("fuseboard_http_refused_connections_total", {}, server.refused_connections);
}

void write_pauses(Exposition& out, const net::Pauses::Counts& pauses) {
  constexpr std::string_view kName = "fuseboard_loop_pause_seconds";
  const std::string bucket = std::string(kName) + "_bucket";
  out.family(kName, Exposition::Type::histogram, "Time that an event loop was blocked at a stretch.");
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < pauses.by_bound.size(); ++i) {
    count += pauses.by_bound[i];
    const bool last = i == net::Pauses::kBounds.size();
    const std::string bound =
        last ? "+Inf" : telemetry::number_text(std::chrono::duration<double>(net::Pauses::kBounds[i]).count());
    out.sample(bucket, {{"le", bound}}, count);
  }
  out.sample(std::string(kName) + "_sum", std::span<const telemetry::Label>(),
             std::chrono::duration<double>(pauses.total).count());
  out.sample(std::string(kName) + "_count", {}, count);
}

void write_upkeep(Exposition& out, const UpkeepCounts& upkeep) {
  out.family("fuseboard_log_dropped_total", Exposition::Type::counter,
             "Lines of the log that were dropped: output too slow.");
  out.sample("fuseboard_log_dropped_total", {}, upkeep.log_dropped);
  out.family("fuseboard_body_memory_bytes", Exposition::Type::gauge, "Memory of bodies in flight.");
  out.sample("fuseboard_body_memory_bytes", {}, std::uint64_t{upkeep.bodies.bytes});
  out.family("fuseboard_body_memory_waits_total", Exposition::Type::counter,
             "Bodies that waited for memory, and what became of it.");
  out.sample("fuseboard_body_memory_waits_total", {{"result", "granted"}},
             upkeep.bodies.waited - std::min(upkeep.bodies.waited, upkeep.bodies.timed_out));
  out.sample("fuseboard_body_memory_waits_total", {{"result", "refused"}}, upkeep.bodies.timed_out);
  write_pauses(out, upkeep.pauses);
}

void write_credentials(Exposition& out, const std::vector<CredentialState>& states) {
  out.family("fuseboard_credential_parked", Exposition::Type::gauge,
             "1 from a provider's refusal of its credential until a call with it succeeds, else 0.");
  for (const CredentialState& state : states) {
    out.sample("fuseboard_credential_parked", {{"provider", state.provider}}, std::uint64_t{state.parked});
  }
  out.family("fuseboard_credential_parts_parked", Exposition::Type::gauge,
             "For how many models or endpoints a credential is parked.");
  for (const CredentialState& state : states) {
    for (const auto part : {ParkedCredential::Part::model, ParkedCredential::Part::endpoint}) {
      const auto count = std::ranges::count(state.parts, part, &ParkedCredential::part);
      out.sample("fuseboard_credential_parts_parked", {{"provider", state.provider}, {"part", name(part)}},
                 static_cast<std::uint64_t>(count));
    }
  }
}

}  // namespace

std::string exposition(const ExpositionSources& from) {
  Exposition out;
  out.family("fuseboard_build_info", Exposition::Type::gauge, "Always 1; the labels say what is running.");
  out.sample("fuseboard_build_info",
             {{"version", from.build.version}, {"commit", from.build.commit}, {"compiler", from.build.compiler}},
             std::uint64_t{1});
  from.series.write(out);
  write(out, from.execution_stats.snapshot().totals);
  write_breakers(out, from.routing, from.targets.breakers());
  write_credentials(out, credential_states(from.now, from.routing, from.targets));
  write_server(out, from.server);
  write_process(out);
  write_upkeep(out, from.upkeep);
  return std::move(out).take();
}

}  // namespace fuseboard::gateway
