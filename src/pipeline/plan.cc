// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/plan.h"

#include <utility>

namespace fuseboard {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

}  // namespace

Problems AttemptTimeouts::validate() const {
  Validator validator;
  const auto check = [&](std::string_view field, Duration value) {
    validator.in_range(field, value, milliseconds(1), hours(24));
  };
  check("connect", connect);
  check("headers", headers);
  check("first_content", first_content);
  check("idle", idle);
  check("total", total);
  return std::move(validator).take();
}

Problems PlanOptions::validate() const {
  Validator validator;
  validator.merge("retry", retry.validate());
  if (overall_deadline != kForever)
    validator.in_range("overall_deadline", overall_deadline, milliseconds(1), hours(24));
  validator.in_range<std::uint32_t>("max_total_attempts", max_total_attempts, 0, 1000);
  return std::move(validator).take();
}

Plan::Plan(std::string name, std::vector<Target> targets, PlanOptions options)
    : name_(std::move(name)), targets_(std::move(targets)), options_(options) {
  Validator validator;
  validator.merge("plan", options_.validate());
  validator.require(!targets_.empty(), "plan.targets", "an empty list", "at least one target");
  for (const Target& target : targets_)
    validator.merge("target " + target.name + ".timeouts", target.timeouts.validate());
  throw_if_invalid(std::move(validator).take());
}

}  // namespace fuseboard
