// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a model says about its calls: retries, hedges, patience, waits, the order of its targets.
#pragma once

#include <array>
#include <string_view>

#include "config/layer.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/retry/company_budget.h"
#include "fuseboard/retry/retry_budget.h"

namespace fuseboard::config {

struct PlanKeys {
  PlanOptions plan{};
  RetryBudgetOptions retry_budget{};  // of each target
  CompanyOptions company{};           // likewise

  Problems validate() const;
};

// The keys of a model that read_plan reads.
inline constexpr std::array<std::string_view, 7> kPlanKeys = {"strategy", "retry",   "wait_for_recovery", "hedge",
                                                              "patience", "company", "fallback_on"};

// Reads those among the keys of a model, and reports what is wrong with them.
PlanKeys read_plan(const Cursor& model, const MapReader& map);

}  // namespace fuseboard::config
