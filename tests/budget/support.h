// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the budget's tests share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "fuseboard/budget/ledger.h"
#include "fuseboard/core/clock.h"

namespace fuseboard {

inline WallTime at(int year, unsigned month, unsigned day, std::chrono::seconds time = {}) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) + time;
}

inline Money usd(std::string_view dollars) { return Money::parse(dollars).value(); }

// A dollar a token in, two a token out, ten cents a cached one.
inline ModelPrice dear() { return {.input = usd("1000000"), .cached_input = usd("100000"), .output = usd("2000000")}; }

inline BudgetEstimate tokens(std::uint64_t input, std::uint64_t output = 0) {
  return {.usage = {.input = input, .output = output}};
}
inline BudgetEstimate priced(std::uint64_t input, std::uint64_t output = 0) {
  return {.usage = {.input = input, .output = output}, .price = dear()};
}

// Grant that the test expects.
inline BudgetReservation granted(BudgetLedger& ledger, const BudgetEstimate& estimate,
                                 const BudgetAccount& account = {}) {
  auto reservation = ledger.reserve(account, estimate);
  if (reservation) return std::move(*reservation);
  ADD_FAILURE() << "refused by " << name(reservation.error().level) << " " << name(reservation.error().kind);
  return {};
}

// Refusal that the test expects.
inline BudgetRejection rejected(BudgetLedger& ledger, const BudgetEstimate& estimate,
                                const BudgetAccount& account = {}) {
  auto reservation = ledger.reserve(account, estimate);
  if (!reservation) return reservation.error();
  ADD_FAILURE() << "granted";
  return {};
}

inline BudgetLevelSnapshot global_of(const BudgetLedger& ledger) { return ledger.levels_of({}).at(0); }

}  // namespace fuseboard
