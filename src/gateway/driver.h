// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The event-loop driver: turns the decision engine's steps into deeds of one loop.
#pragma once

#include "fuseboard/core/clock.h"
#include "fuseboard/pipeline/execution.h"
#include "net/task.h"

namespace fuseboard::gateway {

// What the driver needs done for one call.
class CallHands {
 public:
  virtual ~CallHands() = default;

  // Sends the attempt and reports its end to the execution, unless the call was cancelled meanwhile.
  virtual net::Task<void> attempt(Attempt attempt) = 0;

  // Ends at `time`, or earlier when the call is cancelled.
  virtual net::Task<void> wait_until(TimePoint time) = 0;
};

// Ends when execution.next() has said Finished. Both references must outlive the task.
net::Task<void> drive(Execution& execution, CallHands& hands, const Clock& clock);

}  // namespace fuseboard::gateway
