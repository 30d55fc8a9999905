// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A place that can answer a call, as one plan sees it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fuseboard/budget/price.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/target_state.h"
#include "fuseboard/route/eligibility.h"

namespace fuseboard {

// Limits of one attempt, measured from its start (idle: from the last event); each 1 ms to 24 h.
struct AttemptTimeouts {
  Duration connect = std::chrono::seconds(5);
  Duration headers = std::chrono::seconds(30);  // streams: until the response head; a plain call has `total` for it
  // Streams: until the first text, reasoning or tool delta. A sign of work starts it afresh.
  Duration first_content = std::chrono::seconds(60);
  Duration idle = std::chrono::seconds(30);  // streams: between events after that
  // The whole attempt; of a plain one, where another target is left, at most half of what remains of the deadline.
  Duration total = std::chrono::minutes(10);

  Problems validate() const;
};

// One target of one plan.
struct Target {
  std::string name;  // "provider/model" or "server__tool": for records and people
  std::shared_ptr<TargetState> state;
  AttemptTimeouts timeouts{};
  RouteTraits traits{};  // what decides whether it can take over from another
  std::optional<ModelPrice> price{};
  bool needs_price = false;  // refuse calls that are charged for in money while there is no price [BUD-8]
};

}  // namespace fuseboard
