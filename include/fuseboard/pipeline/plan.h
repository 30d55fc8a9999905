// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a call may do: its targets and the rules it runs under. Immutable once built; calls share it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/target.h"
#include "fuseboard/retry/backoff.h"
#include "fuseboard/retry/patience.h"
#include "fuseboard/route/order.h"

namespace fuseboard {

// When a second attempt starts beside one that takes long [RTY-9].
struct HedgeOptions {
  // After this share of the target's recent latencies; 0.5 to 0.9999. Until enough of them are known no call is
  // hedged, unless `after` is set.
  double percentile = 0.95;
  // After this long in place of the percentile; 1 ms to 1 h.
  std::optional<Duration> after{};

  Problems validate() const;
};

struct PlanOptions {
  RetryOptions retry{};
  // In place of `retry` for failures of these categories [RTY-10]: how often the target is tried again after one, and
  // the wait before it.
  std::map<Category, RetryOptions> retry_by_category{};
  // Bounds starts, waits and everything before the first content; 1 ms to 24 h, kForever for none.
  Duration overall_deadline = std::chrono::minutes(10);
  // A server's retry-after up to this is waited out on its target although another would let the call in; 0 to 1 h
  // [RTY-13].
  Duration retry_after_stay = std::chrono::seconds(2);
  // How long an attempt that shows nothing is waited for alone [RTY-11]. Holds for drivers that can have several
  // attempts in flight, and for calls that may run twice.
  PatienceOptions patience{};
  // Across retries, fallbacks and hedges; 0 (no cap) to 1000.
  std::uint32_t max_total_attempts = 8;
  // Failures that go on to the next target only when named here; content_policy is the one such category.
  CategorySet fallback_on{};
  Strategy strategy = Strategy::ordered;
  // Where every target is open, the longest recovery that is worth waiting for; 0 (none is) to 1 h [RTY-4].
  Duration max_recovery_wait = std::chrono::seconds(10);
  std::optional<HedgeOptions> hedge{};

  Problems validate() const;
  // The rule for a failure of this category.
  const RetryOptions& retry_for(Category category) const noexcept;
};

// Thread-safe: immutable.
class Plan {
 public:
  // Throws InvalidOptions where a field is out of range, or `targets` are none, more than kMaxTargets, or one without
  // a state.
  Plan(std::string name, std::vector<Target> targets, PlanOptions options = {});

  const std::string& name() const noexcept { return name_; }
  const std::vector<Target>& targets() const noexcept { return targets_; }
  const PlanOptions& options() const noexcept { return options_; }

  // In which order this call asks the targets.
  TargetOrder order(TimePoint now, Rng& rng) const noexcept;

 private:
  std::string name_;
  std::vector<Target> targets_;
  PlanOptions options_;
};

}  // namespace fuseboard
