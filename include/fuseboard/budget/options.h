// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What budgets limit, and how they are set up.
//
//   BudgetLedger ledger({.global = {.usd = Money::parse("100.00"), .period = BudgetPeriod::monthly},
//                        .session = {.rounds = 200}});
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/budget/money.h"
#include "fuseboard/budget/period.h"
#include "fuseboard/budget/price.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// The caps of one level, each optional. Without any, the level counts and refuses nothing.
struct BudgetCaps {
  std::optional<std::uint64_t> tokens{};  // input and output together; 1 to 2^63 - 1
  std::optional<Money> usd{};             // zero: only what costs nothing
  std::optional<std::uint64_t> rounds{};  // attempts sent; 1 to 2^63 - 1
  BudgetPeriod period = BudgetPeriod::total;

  bool any() const noexcept { return tokens || usd || rounds; }
  Problems validate() const;
  friend bool operator==(const BudgetCaps&, const BudgetCaps&) noexcept = default;
};

// Scopes nest: what a session spends, its key and everybody spend too, and each level holds [BUD-1].
struct BudgetOptions {
  struct ForKey {
    std::string key;
    BudgetCaps caps{};
  };

  BudgetCaps global{};
  // Caps by key; a key may be named once. A key that is not named has no level of its own.
  std::vector<ForKey> keys{};
  // Of each session alike. Without caps, sessions are not told apart.
  BudgetCaps session{};
  // Sessions held at once, of all keys that are not named here and of one that is; 1 to 1 000 000. A session that has
  // spent is held until kSessionRetention after its last use, and then starts again: its spend stays with its key and
  // the global level. Where there is no room for a new one it is refused, for nobody should get rid of what a session
  // has spent by naming others [BUD-10].
  std::size_t max_sessions = 10'000;
  std::size_t max_sessions_per_key = 1'000;
  static constexpr std::chrono::hours kSessionRetention{24};

  Problems validate() const;
};

// Amounts of every kind.
struct BudgetSpend {
  std::uint64_t tokens = 0;
  Money cost{};
  std::uint64_t rounds = 0;

  // Saturates.
  constexpr BudgetSpend& operator+=(const BudgetSpend& other) noexcept {
    tokens = saturating_sum(tokens, other.tokens);
    cost += other.cost;
    rounds = saturating_sum(rounds, other.rounds);
    return *this;
  }
  friend constexpr bool operator==(const BudgetSpend&, const BudgetSpend&) noexcept = default;
};

}  // namespace fuseboard
