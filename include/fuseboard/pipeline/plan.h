// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a call may do: its targets in order and the rules it runs under. Immutable once built; calls share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fuseboard/breaker/registry.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/retry/backoff.h"

namespace fuseboard {

// Limits of one attempt, measured from its start (idle: from the last event); each 1 ms to 24 h.
struct AttemptTimeouts {
  Duration connect = std::chrono::seconds(5);
  Duration headers = std::chrono::seconds(30);  // streams: until the response head; a plain call has `total` for it
  Duration first_content = std::chrono::seconds(60);  // streams: until the first text, reasoning or tool delta
  Duration idle = std::chrono::seconds(30);           // streams: between events after that
  Duration total = std::chrono::minutes(10);          // the whole attempt

  Problems validate() const;
};

// A place that can answer a call.
struct Target {
  std::string name;       // "provider/model" or "server__tool": for records and people
  BreakerHandle breaker;  // shared by every plan that names the target
  AttemptTimeouts timeouts{};
};

struct PlanOptions {
  RetryOptions retry{};
  Duration overall_deadline = std::chrono::seconds(
      60);  // bounds starts, waits and everything before the first content; 1 ms to 24 h, kForever for none
  std::uint32_t max_total_attempts = 8;  // across retries and fallbacks; 0 for no cap, to 1000
  // Failures that go on to the next target only when named here; content_policy is the one such category.
  CategorySet fallback_on{};

  Problems validate() const;
};

// Thread-safe: immutable.
class Plan {
 public:
  // Throws InvalidOptions where a field is out of range or `targets` is empty.
  Plan(std::string name, std::vector<Target> targets, PlanOptions options = {});

  const std::string& name() const noexcept { return name_; }
  const std::vector<Target>& targets() const noexcept { return targets_; }
  const PlanOptions& options() const noexcept { return options_; }

 private:
  std::string name_;
  std::vector<Target> targets_;
  PlanOptions options_;
};

}  // namespace fuseboard
