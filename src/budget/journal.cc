// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/journal.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "fuseboard/budget/ledger.h"

namespace fuseboard {
namespace {

// Changes that wait for their turn: while one thread tells, others go on.
constexpr std::size_t kMaxUntold = 4096;

bool comes_first(const BudgetRecord& a, const BudgetRecord& b) noexcept {
  const auto rank = [](const BudgetRecord& record) {
    const bool session = record.level == BudgetLevel::session;
    const bool idle = session && record.reserved == BudgetSpend{};
    return std::tuple(record.level, idle, session ? -record.last_used.time_since_epoch() : WallTime::duration(),
                      record.name.view().first(), record.name.view().second());
  };
  return rank(a) < rank(b);
}

}  // namespace

void LedgerReplay::restarted(std::span<const BudgetRecord> records) noexcept {
  for (auto& levels : levels_) levels.clear();
  for (const BudgetRecord& record : records) levels_of(record.level).insert_or_assign(record.name, record);
}

void LedgerReplay::changed(const BudgetChange& change) noexcept {
  auto& levels = levels_of(change.record.level);
  if (change.kind == BudgetChange::Kind::forgotten) {
    levels.erase(change.record.name);
  } else {
    levels.insert_or_assign(change.record.name, change.record);
  }
}

std::vector<BudgetRecord> LedgerReplay::records() const {
  std::vector<BudgetRecord> records;
  for (const auto& levels : levels_) {
    for (const auto& [name, record] : levels) records.push_back(record);
  }
  std::ranges::sort(records, comes_first);
  return records;
}

// The ledger's side.

void BudgetLedger::append_locked(BudgetChange::Kind kind, const Level& level, const BudgetChange::Move& move) noexcept {
  if (restarts_journal_) return;
  try {
    if (untold_.size() < kMaxUntold) {
      untold_.push_back({.kind = kind, .record = level.record(), .move = move});
      return;
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): a restart says it all
  }
  restart_journal_locked();
}

void BudgetLedger::restart_journal_locked() noexcept {
  restarts_journal_ = journal_ != nullptr;
  untold_.clear();
}

// One thread tells at a time, and goes on until nothing is left; so there is one order, and no lock around it.
void BudgetLedger::tell_journal() noexcept {
  {
    const MutexLock lock(mutex_);
    if (tells_journal_) return;
    tells_journal_ = true;
  }
  while (tell_what_waits()) {
  }
}

bool BudgetLedger::tell_what_waits() noexcept {
  std::vector<BudgetChange> changes;
  std::vector<BudgetRecord> all;
  bool restarts = false;
  {
    const MutexLock lock(mutex_);
    restarts = restarts_journal_;
    if (restarts) {
      try {
        all = records_locked();
      } catch (...) {  // without memory: the next call tries again
        tells_journal_ = false;
        return false;
      }
      restarts_journal_ = false;
    } else if (untold_.empty()) {
      tells_journal_ = false;
      return false;
    } else {
      changes.swap(untold_);
    }
  }
  if (restarts) journal_->restarted(all);
  for (const BudgetChange& change : changes) journal_->changed(change);
  return true;
}

}  // namespace fuseboard
