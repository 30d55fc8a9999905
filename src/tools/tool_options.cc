// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/tools/tool_options.h"

#include <utility>

#include "fuseboard/core/key_rules.h"

namespace fuseboard {

TokenBucketOptions default_tool_limit() {
  return {.rate = 2.0, .burst = 10.0, .priorities = PriorityOptions{.mode = PriorityMode::weighted_cost}};
}

Problems ToolOptions::validate() const {
  Validator validator;
  validator.merge("breaker", breaker.validate());
  if (limit) validator.merge("limit", limit->validate());
  return std::move(validator).take();
}

Problems ToolGuardOptions::validate() const {
  Validator validator;
  validator.merge("defaults", defaults.validate());
  validate_key_rules(validator, "tools", tools, &ForTool::tool);
  validate_named_once(validator, "tools", tools, &ForTool::tool);
  validate_key_rules(validator, "globs", globs, &ForGlob::pattern);
  validator.in_range("globs", globs.size(), std::size_t{0}, kMaxGlobs);
  validator.in_range("max_tools", max_tools, std::size_t{1}, kMaxKeys);
  return std::move(validator).take();
}

}  // namespace fuseboard
