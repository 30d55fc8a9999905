// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/period.h"

#include <algorithm>
#include <array>

namespace fuseboard {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 3> kPeriodNames = {"total", "daily", "monthly"};

// Days that begin and end within what the clock can say. A civil date outside would overflow as a time point.
constexpr sys_days kFirstDay = std::chrono::ceil<days>(WallTime::min());
constexpr sys_days kLastDay = std::chrono::floor<days>(WallTime::max());

WallTime clamped(sys_days day) noexcept { return WallTime(std::clamp(day, kFirstDay, kLastDay)); }

}  // namespace

std::string_view name(BudgetPeriod period) noexcept { return kPeriodNames[static_cast<std::size_t>(period)]; }

std::optional<BudgetPeriod> budget_period_from_name(std::string_view name) noexcept {
  const auto found = std::find(kPeriodNames.begin(), kPeriodNames.end(), name);
  if (found == kPeriodNames.end()) return std::nullopt;
  return static_cast<BudgetPeriod>(found - kPeriodNames.begin());
}

WallTime period_start(BudgetPeriod period, WallTime t) noexcept {
  const sys_days day = std::chrono::floor<days>(t);
  switch (period) {
    case BudgetPeriod::total:
      break;
    case BudgetPeriod::daily:
      return clamped(day);
    case BudgetPeriod::monthly: {
      const year_month_day date(day);
      return clamped(sys_days(date.year() / date.month() / 1));
    }
  }
  return {};
}

std::optional<WallTime> period_end(BudgetPeriod period, WallTime start) noexcept {
  if (period == BudgetPeriod::total) return std::nullopt;
  const sys_days day = std::chrono::floor<days>(start);
  sys_days next = day + days(1);
  if (period == BudgetPeriod::monthly) {
    const year_month_day date(day);
    next = sys_days((date.year() / date.month() + months(1)) / 1);
  }
  if (next > kLastDay) return std::nullopt;
  return WallTime(next);
}

}  // namespace fuseboard
