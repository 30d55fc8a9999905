// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Waiting for the signals that end a serving program.
#pragma once

#include <atomic>

namespace fuseboard::cli {

// Make one before any thread starts: threads inherit the blocked signals, so that only wait() sees them. Restores
// nothing.
class EndSignals {
 public:
  EndSignals();

  enum class Wake { terminate, notified, hangup };
  // Blocks until SIGTERM or SIGINT (terminate), SIGHUP (hangup) or until notify().
  Wake wait() const;
  // Any thread.
  void notify() const;

 private:
  mutable std::atomic<bool> notified_{false};
};

// As many descriptors as the system allows: a gateway holds two for each call.
void raise_descriptor_limit();

}  // namespace fuseboard::cli
