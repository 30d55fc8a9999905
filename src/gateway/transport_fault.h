// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The network's errors in the classifier's words.
#pragma once

#include "fuseboard/classify/transport.h"
#include "net/client.h"

namespace fuseboard::gateway {

TransportFault fault_of(const net::TransportError& error) noexcept;

// Whether a connection stood: else the failure is the provider's, whatever the model [BRK-22].
bool was_connected(TransportFault fault) noexcept;

// Whether the target kept silent until a limit: it would likely be silent again [RTY-7].
bool is_silence(TransportFault fault) noexcept;

}  // namespace fuseboard::gateway
