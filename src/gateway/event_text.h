// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Breaker events as lines for people.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/breaker/event.h"

namespace fuseboard::gateway {

// "openai/gpt-5: closed -> open after 5 failures in a row, the last service_unavailable; refusing for 30s".
// `last_cause`: why the target's latest attempt failed, empty where that is not known.
std::string event_text(const BreakerEvent& event, std::string_view last_cause = {});

}  // namespace fuseboard::gateway
