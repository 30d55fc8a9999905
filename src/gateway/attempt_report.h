// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the engine is told of an attempt that a target failed. It says nothing of usage: an error that was told, or a
// connection that never stood, is a round and no tokens [BUD-4]. Pure functions.
#pragma once

#include "fuseboard/classify/transport.h"
#include "fuseboard/pipeline/execution.h"
#include "net/client.h"

namespace fuseboard::gateway {

// `answered`: the target said so itself.
AttemptReport failed_report(const Failure& failure, bool answered);
AttemptReport failed_report(TransportFault fault);
// No answer, or only a part of one.
AttemptReport failed_report(const net::TransportError& error);

}  // namespace fuseboard::gateway
