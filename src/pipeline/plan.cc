// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/plan.h"

#include <array>
#include <span>
#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

Problems HedgeOptions::validate() const {
  Validator validator;
  validator.in_range("percentile", percentile, 0.5, 0.9999);
  if (after) validator.in_range("after", *after, milliseconds(1), hours(1));
  return std::move(validator).take();
}

Problems PlanOptions::validate() const {
  Validator validator;
  validator.merge("retry", retry.validate());
  for (const auto& [category, options] : retry_by_category) {
    validator.merge("retry_by_category." + std::string(fuseboard::name(category)), options.validate());
  }
  if (overall_deadline != kForever) {
    validator.in_range("overall_deadline", overall_deadline, milliseconds(1), hours(24));
  }
  validator.in_range<std::uint32_t>("max_total_attempts", max_total_attempts, 0, 1000);
  validator.in_range("max_recovery_wait", max_recovery_wait, Duration::zero(), hours(1));
  validator.in_range("retry_after_stay", retry_after_stay, Duration::zero(), hours(1));
  validator.merge("patience", patience.validate());
  if (hedge) validator.merge("hedge", hedge->validate());
  return std::move(validator).take();
}

const RetryOptions& PlanOptions::retry_for(Category category) const noexcept {
  if (retry_by_category.empty()) return retry;
  const auto found = retry_by_category.find(category);
  return found == retry_by_category.end() ? retry : found->second;
}

Plan::Plan(std::string name, std::vector<Target> targets, PlanOptions options)
    : name_(std::move(name)), targets_(std::move(targets)), options_(std::move(options)) {
  Validator validator;
  validator.merge("plan", options_.validate());
  validator.require(!targets_.empty(), "plan.targets", "an empty list", "at least one target");
  validator.require(targets_.size() <= kMaxTargets, "plan.targets", std::to_string(targets_.size()) + " targets",
                    "at most " + std::to_string(kMaxTargets));
  for (const Target& target : targets_) {
    validator.merge("target " + target.name + ".timeouts", target.timeouts.validate());
    validator.require(target.state != nullptr, "target " + target.name + ".state", "null", "the target's state");
  }
  throw_if_invalid(std::move(validator).take());
}

TargetOrder Plan::order(TimePoint now, Rng& rng) const noexcept {
  if (options_.strategy == Strategy::ordered || targets_.size() == 1) {
    TargetOrder as_listed;
    for (std::size_t i = 0; i < targets_.size(); ++i) as_listed.push_back(i);
    return as_listed;
  }
  std::array<RouteCandidate, kMaxTargets> candidates;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    candidates[i] = {.weight = targets_[i].traits.weight, .latency = &targets_[i].state->latency()};
  }
  return choose_order(now, options_.strategy, std::span(candidates).first(targets_.size()), rng);
}

}  // namespace fuseboard
