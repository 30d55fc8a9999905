// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an exchange needs of its loop, without a gateway.
#pragma once

#include "gateway/exchange_context.h"

namespace fuseboard::gateway {

struct ExchangeWorld {
  ExchangeWorld(net::Loop& loop, const Clock& clock, Rng& rng)
      : failures({}, clock, {}),
        context{.loop = loop, .clock = clock, .rng = rng, .failures = failures, .calls = calls} {}

  Failures failures;
  CallsInFlight calls;
  const ExchangeContext context;
};

}  // namespace fuseboard::gateway
