// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a ledger says: refusals, settlements, snapshots, records.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fuseboard/budget/options.h"
#include "fuseboard/budget/period.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/key.h"

namespace fuseboard {

enum class BudgetLevel : std::uint8_t { global, key, session };
std::string_view name(BudgetLevel level) noexcept;

// What was short.
enum class BudgetKind : std::uint8_t {
  tokens,
  usd,
  rounds,
  sessions,  // as many are held as may be
};
std::string_view name(BudgetKind kind) noexcept;

// `budget_exceeded` [BUD-6]. Neutral for breakers, never retried. Copying never allocates. Amounts are counted in the
// kind's unit: tokens, nano-dollars, rounds, sessions. Where several caps refuse, it is the one that will do so
// longest.
struct BudgetRejection {
  BudgetKind kind = BudgetKind::tokens;
  BudgetLevel level = BudgetLevel::global;
  KeyText name{};               // the key, or key/session; empty for the global level
  std::uint64_t consumed = 0;   // committed in this period
  std::uint64_t reserved = 0;   // by calls in flight
  std::uint64_t requested = 0;  // by the call that was refused
  std::uint64_t limit = 0;
  // When the period ends, or of `sessions` the longest idle one is forgotten; nullopt where no time will help, only a
  // reset, or it is not known. The end of calls in flight may help sooner.
  std::optional<WallTime> resets_at{};
};

// What became of a reservation.
struct BudgetSettlement {
  BudgetSpend charged{};
  bool overrun = false;      // more was charged than was reserved, of some kind [BUD-3]
  bool understated = false;  // what was seen was charged, for less than a quarter of it was told [BUD-10]
};

struct BudgetLevelSnapshot {
  BudgetLevel level = BudgetLevel::global;
  Key name;  // "" global, the key's name, or the pair of key and session
  BudgetCaps caps{};
  BudgetSpend committed{};
  BudgetSpend reserved{};
  std::uint64_t open_reservations = 0;
  std::uint64_t rejections = 0;  // that this level was named in
  std::uint64_t overruns = 0;
  std::uint64_t unpriced = 0;  // charges of tokens that had no price [BUD-8]
  WallTime period_start{};
  std::optional<WallTime> resets_at{};
};

struct BudgetSnapshot {
  // The global level, the keys, then sessions: those with calls in flight, then the others, most recently used first.
  std::vector<BudgetLevelSnapshot> levels;
  std::size_t sessions = 0;              // held
  std::uint64_t sessions_forgotten = 0;  // after kSessionRetention
  std::uint64_t sessions_unheld = 0;     // calls whose session found no room
};

// One level as it is kept: what a store writes, and restore() takes.
struct BudgetRecord {
  BudgetLevel level = BudgetLevel::global;
  Key name;
  WallTime period_start{};
  BudgetSpend committed{};
  BudgetSpend reserved{};
  WallTime last_used{};  // of a session; none: when it is restored
};

}  // namespace fuseboard
