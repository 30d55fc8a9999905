// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Every change of a ledger that a store has to keep, as it happens.
//
//   class MyJournal : public LedgerJournal { ... };     // appends to a queue that somebody else writes down
//   BudgetLedger ledger(options, clock, &my_journal);
//   ... after a restart: ledger.restore(records)        // a LedgerReplay says which those are
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fuseboard/budget/key_map.h"
#include "fuseboard/budget/options.h"
#include "fuseboard/budget/report.h"

namespace fuseboard {

// One change of one level.
struct BudgetChange {
  enum class Kind : std::uint8_t {
    used,       // charged, reserved, released, or a session was only asked for
    began,      // it is new, or its period begins: nothing is committed
    forgotten,  // a session after its retention or one that has spent nothing; a key that is no longer named
  };
  // Of `used`: how much more is committed and reserved, and how much less is reserved. For stores that add up what
  // several ledgers spend.
  struct Move {
    BudgetSpend charged{};
    BudgetSpend reserved{};
    BudgetSpend released{};
  };

  Kind kind = Kind::used;
  BudgetRecord record;  // the level after it; of `forgotten`, as it was
  Move move{};
};

// Told by a ledger of its changes in the order in which they happened, one at a time, outside the ledger's mutex. When
// a call into the ledger returns its changes have been told, or another thread is at it. So an implementation needs no
// lock against other calls of its own functions, but one against whoever takes from its queue. It never blocks, for
// calls wait for it: it queues. It may call the ledger, and hears of that later.
class LedgerJournal {
 public:
  virtual ~LedgerJournal() = default;
  // These are all levels there are, as records() gives them: what was told before is over. At the beginning, after
  // whatever concerns all levels (configure(), reset_all(), restore()), and where there was no room or memory to keep
  // changes until they could be told.
  virtual void restarted(std::span<const BudgetRecord> records) noexcept = 0;
  virtual void changed(const BudgetChange& change) noexcept = 0;
};

// What a journal comes to. Not thread-safe. Where memory is out, records() throws std::bad_alloc; the others end the
// program.
class LedgerReplay final : public LedgerJournal {
 public:
  void restarted(std::span<const BudgetRecord> records) noexcept override;
  void changed(const BudgetChange& change) noexcept override;

  // As the ledger's records(), for restore(): the global level, the keys by name, then sessions, those with
  // reservations first, then the most recently used.
  std::vector<BudgetRecord> records() const;

 private:
  KeyMap<BudgetRecord>& levels_of(BudgetLevel level) noexcept { return levels_[static_cast<std::size_t>(level)]; }

  std::array<KeyMap<BudgetRecord>, 3> levels_;  // in the order of BudgetLevel
};

}  // namespace fuseboard
