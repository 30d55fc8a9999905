// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The ledger of budgets: caps on tokens, dollars and rounds that no number of concurrent calls gets past.
//
//   auto reservation = ledger.reserve({.key = "agent-1", .session = id}, {.usage = estimate, .price = price});
//   if (!reservation) return reservation.error();    // which cap, how much of it is gone, when it resets
//   reservation->mark_sent();                        // from here on, forgetting it charges
//   reservation->observe(usage_so_far);              // as a stream reports it
//   std::move(*reservation).settle(usage);           // or release(), which is what the destructor does
//
// One mutex guards all levels: a reservation touches the global level anyway, and all-or-none over three levels is then
// plain to see. It is held for a few map lookups, never across a clock or a callback.
//
// Periods and the wall clock [BUD-7]. A level's period moves forward alone. A clock that jumps back leaves the level in
// the period it had reached, spent as it is, until the clock has passed that period's end; so no period is opened
// twice. A clock that jumps forward opens the later period early, and after it was put right that period goes on until
// it really ends; reset() opens the present one. A reservation that is open at the turn of a period goes over into the
// next: it is counted there, and its charge falls into the period in which it is settled. Sessions are forgotten by the
// same clock: early after a jump forward, and at most a day late after one back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <expected>
#include <list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "fuseboard/budget/journal.h"
#include "fuseboard/budget/key_map.h"
#include "fuseboard/budget/options.h"
#include "fuseboard/budget/price.h"
#include "fuseboard/budget/report.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/mutex.h"

namespace fuseboard {

// Whom a call is charged to. The same session name under two keys is two sessions. Empty: no such level.
struct BudgetAccount {
  std::string_view key{};
  std::string_view session{};
};

// What one attempt is expected to use. A round belongs to it always, so a tool call reserves `{}`.
struct BudgetEstimate {
  TokenUsage usage{};
  std::optional<ModelPrice> price{};  // without: it costs nothing [BUD-8]
};

class BudgetLedger;

namespace budget_internal {
struct Level;
using Chain = std::array<Level*, 3>;  // in the order of BudgetLevel; key and session may be null
}  // namespace budget_internal

// A claim on every level of an account. Settle or release it once; destroyed before that it is released. Not
// thread-safe by itself, may be handed from thread to thread. Its ledger must outlive it. Allocates nothing.
class [[nodiscard]] BudgetReservation {
 public:
  // Holds nothing: settling it charges nothing.
  BudgetReservation() noexcept = default;
  BudgetReservation(BudgetReservation&&) noexcept = default;
  BudgetReservation& operator=(BudgetReservation&& other) noexcept { return replace_permit(*this, other); }
  ~BudgetReservation() {
    if (ledger_) abandon();
  }

  // The attempt goes out now: from here on it may be billed.
  void mark_sent() noexcept { sent_ = true; }
  // What the attempt is known to have used so far, each number from its beginning: the largest seen counts. Implies
  // mark_sent().
  void observe(const TokenUsage& usage) noexcept;

  // Charges what was used, in full even where it is more than was reserved [BUD-3], and a round. The cost follows from
  // the estimate's price, or is the one that the provider told.
  BudgetSettlement settle(const TokenUsage& actual) &&;
  BudgetSettlement settle(const TokenUsage& actual, Money cost) &&;
  // The attempt ended without a figure, whole or broken. Gives everything back if nothing was sent; else charges what
  // was observed, at least the input estimate, and a round [BUD-4]. Output that was allowed is not output: whoever
  // reads an answer that does not say what it used observes what there is of it [BUD-10].
  BudgetSettlement release() &&;

  bool sent() const noexcept { return sent_; }
  // What it holds back on every level.
  const BudgetSpend& reserved() const noexcept { return draw_; }

 private:
  friend class BudgetLedger;
  BudgetReservation(BudgetLedger& ledger, const budget_internal::Chain& chain, const BudgetEstimate& estimate,
                    const BudgetSpend& draw) noexcept
      : ledger_(ledger), chain_(chain), estimate_(estimate), draw_(draw) {}
  BudgetSettlement abandon() noexcept;
  BudgetSettlement close(const BudgetSpend& charge, bool priced) noexcept;

  Issuer<BudgetLedger> ledger_{};
  budget_internal::Chain chain_{};
  BudgetEstimate estimate_{};
  BudgetSpend draw_{};
  TokenUsage observed_{};
  bool sent_ = false;
};

namespace budget_internal {

// One scope's account.
struct Level {
  Level(WallTime now, BudgetLevel which, const BudgetCaps& own_caps);

  // Exact for any number of reservations of any size, so that what was taken is what is given back.
  __extension__ using Wide = unsigned __int128;

  BudgetLevel level;
  KeyView name{""};  // borrowed from the map that holds this level
  BudgetCaps caps;
  WallTime starts{};  // the period, and where it has an end
  std::optional<WallTime> ends{};
  BudgetSpend committed{};
  Wide reserved_tokens = 0;
  Wide reserved_nanos = 0;
  Wide reserved_rounds = 0;
  std::uint64_t open = 0;  // reservations
  std::uint64_t rejections = 0;
  std::uint64_t overruns = 0;
  std::uint64_t unpriced = 0;
  bool retired = false;      // no longer in the options: goes with its last reservation
  std::size_t sessions = 0;  // held, of a key, or globally of those whose key is not named
  // Of a session.
  std::list<Level*>::iterator place{};  // in the list of the idle or of the busy
  Level* pool = nullptr;                // where it is counted
  WallTime last_used{};

  void set_period(WallTime t) noexcept;  // to the one that holds t
  void set_caps(const BudgetCaps& new_caps) noexcept;
  void start_period(WallTime now) noexcept;
  bool is_over(WallTime now) const noexcept { return ends && now >= *ends; }
  // A session that nobody has used for so long that its spend is forgotten.
  bool is_stale(WallTime now) const noexcept {
    return open == 0 && now - last_used >= BudgetOptions::kSessionRetention;
  }
  // In the period that `now` falls into.
  BudgetSpend committed_at(WallTime now) const noexcept { return is_over(now) ? BudgetSpend{} : committed; }
  std::optional<WallTime> ends_at(WallTime now) const noexcept;
  BudgetSpend reserved() const noexcept;
  void reserve(const BudgetSpend& draw) noexcept;
  void release(const BudgetSpend& draw) noexcept;
  // Why `draw` does not fit, or nullopt. A kind that it does not draw on refuses nothing: a model that costs nothing
  // still answers when the dollars are gone.
  std::optional<BudgetRejection> rejection(WallTime now, const BudgetSpend& draw) const noexcept;
  BudgetLevelSnapshot snapshot(WallTime now) const;
  BudgetRecord record() const;
};

}  // namespace budget_internal

// Thread-safe throughout. The clock and the journal must outlive it. A call costs a read of the wall clock, a mutex and
// a lookup for the key and one for the session; only a new session allocates. A session takes some 500 bytes.
class BudgetLedger {
 public:
  // Throws InvalidOptions. `journal` may be null: nobody keeps what is spent, and that costs a branch.
  explicit BudgetLedger(const BudgetOptions& options, const WallClock& clock = SystemWallClock::instance(),
                        LedgerJournal* journal = nullptr);
  BudgetLedger(const BudgetLedger&) = delete;
  BudgetLedger& operator=(const BudgetLedger&) = delete;

  // Holds the estimate and a round back on all levels, or on none and says why. What is committed and reserved never
  // passes a cap by a grant [BUD-2].
  [[nodiscard]] std::expected<BudgetReservation, BudgetRejection> reserve(const BudgetAccount& account,
                                                                          const BudgetEstimate& estimate);

  // Without a reservation [BUD-9].
  //
  // Why an attempt of the smallest size would be refused now; nullopt if some would pass. Changes nothing.
  [[nodiscard]] std::optional<BudgetRejection> check(const BudgetAccount& account) const;
  // As check(), and if it passes charges a round.
  [[nodiscard]] std::expected<void, BudgetRejection> check_and_tick(const BudgetAccount& account);
  // Charges what was used whatever the caps say. Where a new session finds no room, its key and the global level alone.
  void charge(const BudgetAccount& account, const TokenUsage& usage, Money cost);

  // New caps for what is counted already; open reservations stay as they are. Throws InvalidOptions and then changes
  // nothing. The spend of a key that is no longer named is forgotten. Where a level's period changes, what it has spent
  // belongs to the new period that holds the old one's start.
  void configure(const BudgetOptions& options);

  // Forgets what the level has spent and begins the period that holds the present. Open reservations stay. Whether the
  // level was known.
  bool reset(BudgetLevel level, const BudgetAccount& account = {});
  void reset_all();

  BudgetSnapshot snapshot(std::size_t most_sessions = 100) const;
  // The levels that hold for an account, from the outside in; its session only if it is held.
  std::vector<BudgetLevelSnapshot> levels_of(const BudgetAccount& account) const;

  // Every level, for a store. Holds the mutex meanwhile: about a millisecond for 10 000 sessions.
  std::vector<BudgetRecord> records() const;
  // Takes up records of an earlier process, before the first call: replaces what is committed. What was reserved then
  // is charged, for nobody will settle it. Records of a period that is over, of a key without a level and of sessions
  // beyond the bound are left; one of a later period than the present moves its level there, see above. Returns how
  // many it took.
  std::size_t restore(std::span<const BudgetRecord> records);

 private:
  friend class BudgetReservation;
  using Level = budget_internal::Level;
  using Chain = budget_internal::Chain;
  static constexpr auto kKey = static_cast<std::size_t>(BudgetLevel::key);
  static constexpr auto kSession = static_cast<std::size_t>(BudgetLevel::session);

  // Read only where it decides anything: where some level's period ends, and of sessions.
  WallTime now(bool of_session) const {
    return of_session || has_periods_.load(std::memory_order_relaxed) ? clock_.now() : WallTime{};
  }
  WallTime now(const BudgetAccount& account) const { return now(!account.session.empty()); }

  BudgetSettlement close(const Chain& chain, const BudgetSpend& draw, const BudgetSpend& charge, bool priced) noexcept;

  // The levels of an account that exist. A session that does not is null. The first does not mind whether it is stale;
  // the last forgets those that are.
  Chain find_locked(const BudgetAccount& account) const FUSEBOARD_REQUIRES(mutex_);
  Chain peek_locked(WallTime now, const BudgetAccount& account) const FUSEBOARD_REQUIRES(mutex_);
  Chain meet_locked(WallTime now, const BudgetAccount& account) FUSEBOARD_REQUIRES(mutex_);
  bool wants_session_locked(const BudgetAccount& account) const FUSEBOARD_REQUIRES(mutex_);
  std::optional<BudgetRejection> rejection_locked(WallTime now, const Chain& chain, const BudgetAccount& account,
                                                  const BudgetSpend& draw) const FUSEBOARD_REQUIRES(mutex_);
  Level& pool_locked(const Chain& chain) const FUSEBOARD_REQUIRES(mutex_);
  std::size_t bound_locked(const Level& pool) const FUSEBOARD_REQUIRES(mutex_);
  bool has_room_locked(WallTime now, const Level& pool) const FUSEBOARD_REQUIRES(mutex_);
  BudgetRejection no_room_locked(const Level& pool, const BudgetAccount& account) const FUSEBOARD_REQUIRES(mutex_);
  void count_rejection_locked(WallTime now, const Chain& chain, const BudgetRejection& rejection)
      FUSEBOARD_REQUIRES(mutex_);
  // Completes the chain with a new session where one is wanted; false if there is no room for it.
  bool hold_session_locked(WallTime now, Chain& chain, const BudgetAccount& account) FUSEBOARD_REQUIRES(mutex_);
  Level& new_session_locked(WallTime now, Level& pool, KeyView name) FUSEBOARD_REQUIRES(mutex_);
  void touch_locked(WallTime now, const Chain& chain) FUSEBOARD_REQUIRES(mutex_);
  void commit_locked(WallTime now, const Chain& chain, const BudgetSpend& spend) FUSEBOARD_REQUIRES(mutex_);
  // What the end of a level's last reservation brings.
  void rest_locked(Level& level) FUSEBOARD_REQUIRES(mutex_);
  void roll_locked(WallTime now, Level& level) FUSEBOARD_REQUIRES(mutex_);
  void begin_anew_locked(WallTime now, Level& level) FUSEBOARD_REQUIRES(mutex_);
  // The sessions of a key that is no longer named are counted with those of all such keys.
  void erase_key_locked(KeyView name) FUSEBOARD_REQUIRES(mutex_);
  void configure_keys_locked(WallTime now, const std::vector<BudgetOptions::ForKey>& keys) FUSEBOARD_REQUIRES(mutex_);
  Level* level_of_record_locked(WallTime now, const BudgetRecord& record) FUSEBOARD_REQUIRES(mutex_);
  void drop_stale_sessions_locked(WallTime now) FUSEBOARD_REQUIRES(mutex_);
  void drop_session_locked(const Level& session) FUSEBOARD_REQUIRES(mutex_);  // which is idle
  std::vector<BudgetRecord> records_locked() const FUSEBOARD_REQUIRES(mutex_);

  // The journal (journal.cc). Changes are noted with the mutex and told without it.
  class Telling {  // for whoever may change something: tells when the mutex, locked after this is made, is free again
   public:
    explicit Telling(BudgetLedger& ledger) noexcept : ledger_(ledger) {}
    ~Telling() {
      if (ledger_.journal_ != nullptr) ledger_.tell_journal();
    }
    Telling(const Telling&) = delete;
    Telling& operator=(const Telling&) = delete;

   private:
    BudgetLedger& ledger_;
  };
  void note_locked(BudgetChange::Kind kind, const Level& level, const BudgetChange::Move& move = {}) noexcept
      FUSEBOARD_REQUIRES(mutex_) {
    if (journal_ != nullptr) append_locked(kind, level, move);
  }
  void append_locked(BudgetChange::Kind kind, const Level& level, const BudgetChange::Move& move) noexcept
      FUSEBOARD_REQUIRES(mutex_);
  void restart_journal_locked() noexcept FUSEBOARD_REQUIRES(mutex_);
  void tell_journal() noexcept;
  bool tell_what_waits() noexcept;  // false: nothing does

  const WallClock& clock_;
  LedgerJournal* const journal_;
  std::atomic<bool> has_periods_;  // some level's is not `total`
  mutable Mutex mutex_;
  mutable Level global_ FUSEBOARD_GUARDED_BY(mutex_);
  mutable KeyMap<Level> keys_ FUSEBOARD_GUARDED_BY(mutex_);
  mutable KeyMap<Level> sessions_ FUSEBOARD_GUARDED_BY(mutex_);
  BudgetCaps session_caps_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t max_sessions_ FUSEBOARD_GUARDED_BY(mutex_);
  std::size_t max_sessions_per_key_ FUSEBOARD_GUARDED_BY(mutex_);
  // Sessions without and with open reservations, the least recently used first.
  std::list<Level*> idle_ FUSEBOARD_GUARDED_BY(mutex_);
  std::list<Level*> busy_ FUSEBOARD_GUARDED_BY(mutex_);
  std::uint64_t sessions_forgotten_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t sessions_unheld_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::vector<BudgetChange> untold_ FUSEBOARD_GUARDED_BY(mutex_);
  bool restarts_journal_ FUSEBOARD_GUARDED_BY(mutex_) = false;  // instead of what is untold
  bool tells_journal_ FUSEBOARD_GUARDED_BY(mutex_) = false;     // some thread does
};

}  // namespace fuseboard
