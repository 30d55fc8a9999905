// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/target_options.h"

#include <utility>

namespace fuseboard {

Problems TargetStateOptions::validate() const {
  Validator validator;
  if (rate) validator.merge("rate", rate->validate());
  validator.merge("limits", limits.validate());
  if (adaptive_rate) validator.merge("adaptive_rate", adaptive_rate->validate());
  if (adaptive_concurrency) validator.merge("adaptive_concurrency", adaptive_concurrency->validate());
  validator.in_range("retry_after_max", retry_after_max, Duration::zero(), std::chrono::hours(24));
  validator.merge("retry_budget", retry_budget.validate());
  validator.merge("queue", queue.validate());
  validator.merge("company", company.validate());
  validator.merge("latency", latency.validate());
  validator.merge("percentile", percentile.validate());
  return std::move(validator).take();
}

Problems TargetOptions::validate() const {
  Validator validator;
  validator.merge("breaker", breaker.validate());
  validator.merge("state", state.validate());
  return std::move(validator).take();
}

Problems ScopeOptions::validate() const {
  Validator validator;
  if (breaker) validator.merge("breaker", breaker->validate());
  validator.merge("limits", limits.validate());
  validator.merge("parking", parking.validate());
  return std::move(validator).take();
}

}  // namespace fuseboard
