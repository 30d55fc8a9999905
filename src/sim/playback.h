// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Sends a reply: the only part of the provider that waits.
#pragma once

#include "fuseboard/core/time.h"
#include "net/server.h"
#include "net/task.h"
#include "sim/reply.h"

namespace fuseboard::sim {

// Plays `reply` step by step, with its waits and its ending. True when the client left before the end; what waits is
// woken then. Silences end after max_silence by cutting the connection. `reply` must stay valid.
net::Task<bool> play(net::ServerExchange& exchange, const Reply& reply, Duration max_silence);

}  // namespace fuseboard::sim
