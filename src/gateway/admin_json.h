// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the admin API says: one function for each object, whichever endpoint shows it. Times are whole milliseconds,
// rounded up; `now` is that of the gateway's clock.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "fuseboard/core/clock.h"
#include "fuseboard/pipeline/target_registry.h"
#include "fuseboard/telemetry/call_series.h"
#include "gateway/credential_state.h"
#include "gateway/failures.h"
#include "gateway/routing.h"
#include "net/server.h"

namespace fuseboard::gateway {

using AdminJson = nlohmann::ordered_json;

AdminJson transition_json(const Transition& transition, TimePoint now);
AdminJson breaker_json(const BreakerSnapshot& breaker, TimePoint now);
// null where there was none.
AdminJson failure_json(const std::optional<LastFailure>& failure, TimePoint now);
AdminJson target_json(const Target& target, const Failures& failures, TimePoint now);
AdminJson model_json(const Route& route, const Failures& failures, TimePoint now);
AdminJson parked_credential_json(const ParkedCredential& part);
AdminJson provider_credential_json(const CredentialState& state);
AdminJson server_json(const net::HttpServer::Counters& server);
AdminJson calls_json(const telemetry::CallSeries::Totals& totals);

struct StateSources {
  const Clock& clock;
  TimePoint started{};
  bool draining = false;
  const Routing& routing;
  const TargetRegistry& targets;
  const telemetry::CallSeries& series;
  const Failures& failures;
  net::HttpServer::Counters server{};
};
AdminJson state_json(const StateSources& sources);

// As it is sent: ASCII, whatever bytes keys and names hold, for it is read on terminals.
std::string to_body(const AdminJson& json);

}  // namespace fuseboard::gateway
