// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One call from the caller's request to the end of its answer.
#pragma once

#include "gateway/loop_context.h"
#include "gateway/model_call.h"
#include "net/server.h"
#include "net/task.h"

namespace fuseboard::gateway {

// Answers the caller. Ends when the answer is complete or the caller is gone, before the handler of the exchange does.
//
// A plain answer is read whole, judged, then handed on. A stream is held back until its first content; until then a
// retry, a hedge or another target costs the caller nothing [STR-4]. From then on its events are passed on as they
// arrive. Where it breaks off, another attempt recovers it if it can (stream_recovery.h).
net::Task<void> relay_call(LoopContext& loop_context, net::ServerExchange& caller, const ModelCall& call);

}  // namespace fuseboard::gateway
