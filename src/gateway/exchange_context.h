// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an exchange needs of its loop and of the gateway, whatever is asked in it.
#pragma once

#include "fuseboard/core/clock.h"
#include "fuseboard/core/rng.h"
#include "gateway/calls_in_flight.h"
#include "gateway/failures.h"
#include "net/loop.h"

namespace fuseboard::gateway {

// All of it outlives the exchange.
struct ExchangeContext {
  net::Loop& loop;
  const Clock& clock;
  Rng& rng;
  Failures& failures;
  CallsInFlight& calls;
};

}  // namespace fuseboard::gateway
