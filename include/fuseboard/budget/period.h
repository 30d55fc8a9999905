// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calendar periods of budgets, in UTC [BUD-7].
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/time.h"

namespace fuseboard {

enum class BudgetPeriod : std::uint8_t {
  total,    // never starts again
  daily,    // from midnight UTC
  monthly,  // from the first of the month, midnight UTC
};
std::string_view name(BudgetPeriod period) noexcept;
std::optional<BudgetPeriod> budget_period_from_name(std::string_view name) noexcept;

// When the period that holds `t` began. Of `total`: the clock's epoch, for every t. Within a day of the earliest time
// that the clock can say, that time.
WallTime period_start(BudgetPeriod period, WallTime t) noexcept;

// When the period that began at `start` ends and the next one begins; nullopt for `total`, and where the clock cannot
// say it (year 2262).
std::optional<WallTime> period_end(BudgetPeriod period, WallTime start) noexcept;

}  // namespace fuseboard
