// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which of a call's errors its caller is told of [FBK-4].
#pragma once

#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard::engine {

// Of an answer that had begun what broke it, else an error about the request itself, else the first that a target
// really answered, else the first of all; what was cancelled tells least. nullptr: there was none.
const AttemptRecord* primary_attempt(const CallRecord& record, const PlanOptions& options) noexcept;

}  // namespace fuseboard::engine
