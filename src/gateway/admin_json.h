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

AdminJson transition_json(TimePoint now, const Transition& transition);
AdminJson breaker_json(TimePoint now, const BreakerSnapshot& breaker);
// null where there was none.
AdminJson failure_json(TimePoint now, const std::optional<LastFailure>& failure);
AdminJson target_json(TimePoint now, const Target& target, const Failures& failures);
AdminJson model_json(TimePoint now, const Route& route, const Failures& failures);
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
