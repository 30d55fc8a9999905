// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Kept connections that turn out to be dead [RTY-6].
#pragma once

#include <expected>

#include "fuseboard/core/time.h"
#include "net/client.h"

namespace fuseboard::gateway {

// Whether what came of a request, so long after it was sent on a kept connection, says that the connection was lost
// while nobody used it. Pure.
bool was_stale(const std::expected<net::ResponseHead, net::TransportError>& head, Duration after) noexcept;

}  // namespace fuseboard::gateway
