// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the handles of the C API hold: shares of what they name, so that no order of destroying them is wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "c/convert.h"
#include "fuseboard/breaker/registry.h"
#include "fuseboard/budget/ledger.h"
#include "fuseboard/c/plan.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/retry/attempt_budget.h"
#include "fuseboard/route/credentials.h"

namespace fuseboard::c_api {

struct ClockedBreakers {
  ClockedBreakers(const BreakerRegistryOptions& options, const CallersClock& callers_clock)
      : clock(callers_clock), registry(options, clock) {}
  const CallersClock clock;
  BreakerRegistry registry;
};

// A name, or a pair where `model` is given. Throws StatusError.
KeyView key_of(const char* provider, const char* model);

// A plan with what its calls need beside it.
struct SharedPlan {
  CallersClock clock;
  Rng rng;
  std::vector<std::string> providers;  // their numbers in the routes' traits are their places
  std::shared_ptr<const Plan> plan;
};

}  // namespace fuseboard::c_api

struct fuseboard_breakers {
  std::shared_ptr<fuseboard::c_api::ClockedBreakers> shared;
};

struct fuseboard_credential {
  std::shared_ptr<fuseboard::CredentialGate> gate;
};

struct fuseboard_target {
  std::string name;
  std::string provider;
  fuseboard::c_api::CallersClock clock;
  std::shared_ptr<fuseboard::TargetState> state;  // keeps its breakers
};

struct fuseboard_plan {
  std::shared_ptr<fuseboard::c_api::SharedPlan> shared;
};

struct fuseboard_ledger {
  std::shared_ptr<fuseboard::BudgetLedger> shared;
};

struct fuseboard_attempt_budget {
  std::shared_ptr<fuseboard::AttemptBudget> shared;
};
