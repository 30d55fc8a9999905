// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the engine is told of an attempt that got no answer, or only a part of one. It says nothing of usage: a
// connection that never stood is a round and no tokens [BUD-4]. Pure functions.
#pragma once

#include "fuseboard/classify/transport.h"
#include "fuseboard/pipeline/execution.h"
#include "net/client.h"

namespace fuseboard::gateway {

AttemptReport failed_report(TransportFault fault);
AttemptReport failed_report(const net::TransportError& error);

}  // namespace fuseboard::gateway
