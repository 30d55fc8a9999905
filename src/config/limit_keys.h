// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The limits of a target as the file writes them.
#pragma once

#include "config/layer.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/target.h"

namespace fuseboard::config {

struct LimitKeys {
  TargetStateOptions state{};
  bool adaptive = false;

  Problems validate() const;
  // With `adaptive` the requests are bounded by a rate that follows the target, in place of the fixed one.
  TargetStateOptions resolved() const;
};

Layer<LimitKeys> read_limits(const Cursor& cursor);

// Whether two targets have the same limits.
bool same_limits(const TargetStateOptions& a, const TargetStateOptions& b);

}  // namespace fuseboard::config
