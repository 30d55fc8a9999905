// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Breaker events as lines for people.
#pragma once

#include <string>

#include "fuseboard/breaker/state.h"

namespace fuseboard::gateway {

// "openai/gpt-5: closed -> open after 5 failures in a row, the last service_unavailable; refusing for 30s".
std::string event_text(const BreakerEvent& event);

}  // namespace fuseboard::gateway
