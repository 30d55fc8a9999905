// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace fuseboard {
namespace {

// The smallest attempt of all: what check() asks for.
constexpr BudgetSpend kMin = {.tokens = 1, .cost = Money::from_nanos(1), .rounds = 1};
constexpr BudgetSpend kOneRound = {.rounds = 1};

// For BudgetLevelSnapshot and BudgetRecord.
constexpr auto by_name = [](const auto& a, const auto& b) {
  const KeyView left = a.name.view();
  const KeyView right = b.name.view();
  return std::pair(left.first(), left.second()) < std::pair(right.first(), right.second());
};

KeyView session_name(const BudgetAccount& account) noexcept { return {account.key, account.session}; }

// Whether `a` refuses for longer than `b`.
bool lasts_longer(const std::optional<WallTime>& a, const std::optional<WallTime>& b) noexcept {
  if (!a || !b) return !a && b;
  return *a > *b;
}

bool has_periods(const BudgetOptions& options) noexcept {
  const auto ends = [](const BudgetCaps& caps) { return caps.period != BudgetPeriod::total; };
  return ends(options.global) || ends(options.session) ||
         std::ranges::any_of(options.keys, [&](const BudgetOptions::ForKey& entry) { return ends(entry.caps); });
}

}  // namespace

BudgetLedger::BudgetLedger(const BudgetOptions& options, const WallClock& clock, LedgerJournal* journal)
    : clock_(clock),
      journal_(journal),
      has_periods_(has_periods(options)),
      global_(clock.now(), BudgetLevel::global, checked(options).global),
      session_caps_(options.session),
      max_sessions_(options.max_sessions),
      max_sessions_per_key_(options.max_sessions_per_key) {
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  configure_keys_locked(clock_.now(), options.keys);
  restart_journal_locked();
}

std::expected<BudgetReservation, BudgetRejection> BudgetLedger::reserve(const BudgetAccount& account,
                                                                        const BudgetEstimate& estimate) {
  const BudgetSpend draw = {.tokens = estimate.usage.total(),
                            .cost = estimate.price ? estimate.price->cost(estimate.usage) : Money(),
                            .rounds = 1};
  const WallTime now = this->now(account);
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  Chain chain = meet_locked(now, account);
  if (const auto rejection = rejection_locked(now, chain, account, draw)) {
    count_rejection_locked(now, chain, *rejection);
    return std::unexpected(*rejection);
  }
  hold_session_locked(now, chain, account);
  for (Level* const level : chain) {
    if (level == nullptr) continue;
    roll_locked(now, *level);
    level->reserve(draw);
    note_locked(BudgetChange::Kind::used, *level, {.reserved = draw});
  }
  if (Level* const session = chain[kSession]; session != nullptr && session->open == 1) {
    busy_.splice(busy_.end(), idle_, session->place);
  }
  return BudgetReservation(*this, chain, estimate, draw);
}

BudgetSettlement BudgetLedger::close(const Chain& chain, const BudgetSpend& draw, const BudgetSpend& charge,
                                     bool priced) noexcept {
  const bool overrun = charge.tokens > draw.tokens || charge.cost > draw.cost;
  const WallTime now = this->now(chain[kSession] != nullptr);
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  for (Level* const level : chain) {
    if (level == nullptr) continue;
    roll_locked(now, *level);
    level->release(draw);
    level->committed += charge;
    if (overrun) ++level->overruns;
    if (!priced && charge.tokens > 0) ++level->unpriced;
    if (level->open == 0 && level->level == BudgetLevel::session) level->last_used = now;
    note_locked(BudgetChange::Kind::used, *level, {.charged = charge, .released = draw});
    if (level->open == 0) rest_locked(*level);
  }
  return {.charged = charge, .overrun = overrun};
}

std::optional<BudgetRejection> BudgetLedger::check(const BudgetAccount& account) const {
  const WallTime now = this->now(account);
  const MutexLock lock(mutex_);
  return rejection_locked(now, peek_locked(now, account), account, kMin);
}

std::expected<void, BudgetRejection> BudgetLedger::check_and_tick(const BudgetAccount& account) {
  const WallTime now = this->now(account);
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  Chain chain = meet_locked(now, account);
  if (const auto rejection = rejection_locked(now, chain, account, kMin)) {
    count_rejection_locked(now, chain, *rejection);
    return std::unexpected(*rejection);
  }
  hold_session_locked(now, chain, account);
  commit_locked(now, chain, kOneRound);
  return {};
}

void BudgetLedger::charge(const BudgetAccount& account, const TokenUsage& usage, Money cost) {
  const WallTime now = this->now(account);
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  Chain chain = meet_locked(now, account);
  if (!hold_session_locked(now, chain, account)) ++sessions_unheld_;
  commit_locked(now, chain, {.tokens = usage.total(), .cost = cost});
}

void BudgetLedger::commit_locked(WallTime now, const Chain& chain, const BudgetSpend& spend) {
  touch_locked(now, chain);
  for (Level* const level : chain) {
    if (level == nullptr) continue;
    roll_locked(now, *level);
    level->committed += spend;
    note_locked(BudgetChange::Kind::used, *level, {.charged = spend});
  }
}

// Refusals.

std::optional<BudgetRejection> BudgetLedger::rejection_locked(WallTime now, const Chain& chain,
                                                              const BudgetAccount& account,
                                                              const BudgetSpend& draw) const {
  std::optional<BudgetRejection> worst;
  const auto consider = [&](const Level& level) {
    std::optional<BudgetRejection> rejection = level.rejection(now, draw);
    if (rejection && (!worst || lasts_longer(rejection->resets_at, worst->resets_at))) worst = rejection;
  };
  for (const Level* const level : chain) {
    if (level != nullptr) consider(*level);
  }
  if (chain[kSession] == nullptr && wants_session_locked(account)) {
    // As the new session would refuse: one call can be larger than all that a session may spend.
    Level fresh(now, BudgetLevel::session, session_caps_);
    fresh.name = session_name(account);
    consider(fresh);
    const Level& pool = pool_locked(chain);
    if (!worst && !has_room_locked(now, pool)) worst = no_room_locked(pool, account);
  }
  return worst;
}

BudgetRejection BudgetLedger::no_room_locked(const Level& pool, const BudgetAccount& account) const {
  BudgetRejection rejection{.kind = BudgetKind::sessions,
                            .level = BudgetLevel::session,
                            .name = to_key_text(session_name(account)),
                            .consumed = pool.sessions,
                            .requested = 1,
                            .limit = bound_locked(pool)};
  if (!idle_.empty() && idle_.front()->pool == &pool)
    rejection.resets_at = idle_.front()->last_used + BudgetOptions::kSessionRetention;
  return rejection;
}

void BudgetLedger::count_rejection_locked(WallTime now, const Chain& chain, const BudgetRejection& rejection) {
  if (rejection.kind == BudgetKind::sessions) ++sessions_unheld_;
  Level* const level = chain[static_cast<std::size_t>(rejection.level)];
  if (level != nullptr) ++level->rejections;
  // A session that is asked for and refused is in use: to forget its spend now would be to let it on.
  touch_locked(now, chain);
  if (chain[kSession] != nullptr) note_locked(BudgetChange::Kind::used, *chain[kSession]);
}

// Levels.

void BudgetLedger::roll_locked(WallTime now, Level& level) {
  if (level.is_over(now)) begin_anew_locked(now, level);
}

void BudgetLedger::begin_anew_locked(WallTime now, Level& level) {
  level.start_period(now);
  note_locked(BudgetChange::Kind::began, level);
}

BudgetLedger::Chain BudgetLedger::find_locked(const BudgetAccount& account) const {
  Chain chain = {&global_, nullptr, nullptr};
  if (!account.key.empty()) {
    const auto key = keys_.find(KeyView(account.key));
    if (key != keys_.end() && !key->second.retired) chain[kKey] = &key->second;
  }
  if (wants_session_locked(account)) {
    const auto session = sessions_.find(session_name(account));
    if (session != sessions_.end()) chain[kSession] = &session->second;
  }
  return chain;
}

BudgetLedger::Chain BudgetLedger::peek_locked(WallTime now, const BudgetAccount& account) const {
  Chain chain = find_locked(account);
  if (chain[kSession] != nullptr && chain[kSession]->is_stale(now)) chain[kSession] = nullptr;
  return chain;
}

BudgetLedger::Chain BudgetLedger::meet_locked(WallTime now, const BudgetAccount& account) {
  if (!account.session.empty()) drop_stale_sessions_locked(now);
  Chain chain = find_locked(account);
  Level*& session = chain[kSession];
  // Where a clock that jumped has mixed up the order, it may be stale and not be the longest idle one.
  if (session != nullptr && session->is_stale(now)) {
    drop_session_locked(*std::exchange(session, nullptr));
    ++sessions_forgotten_;
  }
  return chain;
}

bool BudgetLedger::wants_session_locked(const BudgetAccount& account) const {
  return session_caps_.any() && !account.session.empty();
}

BudgetLedger::Level& BudgetLedger::pool_locked(const Chain& chain) const {
  return chain[kKey] != nullptr ? *chain[kKey] : global_;
}

std::size_t BudgetLedger::bound_locked(const Level& pool) const {
  return pool.level == BudgetLevel::key ? max_sessions_per_key_ : max_sessions_;
}

bool BudgetLedger::has_room_locked(WallTime now, const Level& pool) const {
  std::size_t held = pool.sessions;
  for (auto session = idle_.begin(); held >= bound_locked(pool); ++session) {
    if (session == idle_.end() || !(*session)->is_stale(now)) return false;
    if ((*session)->pool == &pool) --held;
  }
  return true;
}

bool BudgetLedger::hold_session_locked(WallTime now, Chain& chain, const BudgetAccount& account) {
  if (chain[kSession] != nullptr || !wants_session_locked(account)) return true;
  Level& pool = pool_locked(chain);
  if (pool.sessions >= bound_locked(pool)) return false;
  chain[kSession] = &new_session_locked(now, pool, session_name(account));
  return true;
}

BudgetLedger::Level& BudgetLedger::new_session_locked(WallTime now, Level& pool, KeyView name) {
  std::list<Level*> place(1, nullptr);  // first: a session without one could not be held
  const auto added = sessions_.try_emplace(Key(name), now, BudgetLevel::session, session_caps_).first;
  Level& level = added->second;
  level.name = added->first.view();
  level.place = place.begin();
  *level.place = &level;
  idle_.splice(idle_.end(), place);
  level.pool = &pool;
  level.last_used = now;
  ++pool.sessions;
  note_locked(BudgetChange::Kind::began, level);
  return level;
}

void BudgetLedger::touch_locked(WallTime now, const Chain& chain) {
  Level* const session = chain[kSession];
  if (session == nullptr) return;
  session->last_used = now;
  std::list<Level*>& list = session->open > 0 ? busy_ : idle_;
  list.splice(list.end(), list, session->place);
}

void BudgetLedger::rest_locked(Level& level) {
  if (level.level == BudgetLevel::key && level.retired) {
    erase_key_locked(level.name);
  } else if (level.level == BudgetLevel::session) {
    idle_.splice(idle_.end(), busy_, level.place);
    // One that has spent nothing is as good as a new one.
    if (!session_caps_.any() || level.committed == BudgetSpend{}) drop_session_locked(level);
  }
}

void BudgetLedger::erase_key_locked(KeyView name) {
  const auto key = keys_.find(name);
  note_locked(BudgetChange::Kind::forgotten, key->second);
  if (key->second.sessions > 0) {
    for (auto& [session_name, session] : sessions_) {
      if (session.pool == &key->second) session.pool = &global_;
    }
    global_.sessions += key->second.sessions;
  }
  keys_.erase(key);
}

// The longest idle one is the first; where the clock went back since then, its time starts again.
void BudgetLedger::drop_stale_sessions_locked(WallTime now) {
  while (!idle_.empty()) {
    Level& longest_idle = *idle_.front();
    if (now < longest_idle.last_used) {
      longest_idle.last_used = now;
      note_locked(BudgetChange::Kind::used, longest_idle);
    }
    if (!longest_idle.is_stale(now)) return;
    drop_session_locked(longest_idle);
    ++sessions_forgotten_;
  }
}

void BudgetLedger::drop_session_locked(const Level& session) {
  note_locked(BudgetChange::Kind::forgotten, session);
  --session.pool->sessions;
  idle_.erase(session.place);
  sessions_.erase(sessions_.find(session.name));
}

// Operation.

void BudgetLedger::configure(const BudgetOptions& options) {
  throw_if_invalid(options.validate());
  const WallTime now = clock_.now();
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  has_periods_.store(has_periods(options), std::memory_order_relaxed);
  global_.set_caps(options.global);
  configure_keys_locked(now, options.keys);
  session_caps_ = options.session;
  max_sessions_ = options.max_sessions;
  max_sessions_per_key_ = options.max_sessions_per_key;
  for (auto& [name, session] : sessions_) session.set_caps(session_caps_);
  while (!session_caps_.any() && !idle_.empty()) drop_session_locked(*idle_.front());
  restart_journal_locked();
}

void BudgetLedger::configure_keys_locked(WallTime now, const std::vector<BudgetOptions::ForKey>& keys) {
  for (auto& [name, level] : keys_) level.retired = true;
  for (const BudgetOptions::ForKey& entry : keys) {
    const auto [place, is_new] = keys_.try_emplace(Key(entry.key), now, BudgetLevel::key, entry.caps);
    Level& level = place->second;
    level.name = place->first.view();
    level.retired = false;
    if (!is_new) level.set_caps(entry.caps);
  }
  for (auto key = keys_.begin(); key != keys_.end();) {
    const Level& level = (key++)->second;
    if (level.retired && level.open == 0) erase_key_locked(level.name);
  }
}

bool BudgetLedger::reset(BudgetLevel level, const BudgetAccount& account) {
  const WallTime now = clock_.now();
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  Level* const found = meet_locked(now, account)[static_cast<std::size_t>(level)];
  if (found != nullptr) begin_anew_locked(now, *found);
  return found != nullptr;
}

void BudgetLedger::reset_all() {
  const WallTime now = clock_.now();
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  global_.start_period(now);
  for (auto& [name, level] : keys_) level.start_period(now);
  for (auto& [name, level] : sessions_) level.start_period(now);
  restart_journal_locked();
}

BudgetSnapshot BudgetLedger::snapshot(std::size_t most_sessions) const {
  const WallTime now = clock_.now();
  BudgetSnapshot snapshot;
  const MutexLock lock(mutex_);
  snapshot.sessions = sessions_.size();
  snapshot.sessions_forgotten = sessions_forgotten_;
  snapshot.sessions_unheld = sessions_unheld_;
  snapshot.levels.push_back(global_.snapshot(now));
  for (const auto& [name, level] : keys_) {
    if (!level.retired) snapshot.levels.push_back(level.snapshot(now));
  }
  // By name: how a table lies differs from process to process.
  std::sort(snapshot.levels.begin() + 1, snapshot.levels.end(), by_name);
  std::size_t left = most_sessions;
  for (const std::list<Level*>* const list : {&busy_, &idle_}) {
    for (auto session = list->rbegin(); session != list->rend() && left > 0; ++session, --left) {
      snapshot.levels.push_back((*session)->snapshot(now));
    }
  }
  return snapshot;
}

std::vector<BudgetLevelSnapshot> BudgetLedger::levels_of(const BudgetAccount& account) const {
  const WallTime now = clock_.now();
  std::vector<BudgetLevelSnapshot> levels;
  const MutexLock lock(mutex_);
  for (const Level* const level : peek_locked(now, account)) {
    if (level != nullptr) levels.push_back(level->snapshot(now));
  }
  return levels;
}

// Records.

std::vector<BudgetRecord> BudgetLedger::records() const {
  const MutexLock lock(mutex_);
  return records_locked();
}

std::vector<BudgetRecord> BudgetLedger::records_locked() const {
  std::vector<BudgetRecord> records;
  records.reserve(1 + keys_.size() + sessions_.size());
  records.push_back(global_.record());
  for (const auto& [name, level] : keys_) records.push_back(level.record());
  std::sort(records.begin() + 1, records.end(), by_name);
  // In the order in which they would be forgotten last, so that a smaller bound takes up the ones in use.
  for (const std::list<Level*>* const list : {&busy_, &idle_}) {
    for (auto session = list->rbegin(); session != list->rend(); ++session) records.push_back((*session)->record());
  }
  return records;
}

std::size_t BudgetLedger::restore(std::span<const BudgetRecord> records) {
  const WallTime now = clock_.now();
  std::size_t taken = 0;
  const Telling telling(*this);
  const MutexLock lock(mutex_);
  for (const BudgetRecord& record : records) {
    Level* const level = level_of_record_locked(now, record);
    if (level == nullptr) continue;
    roll_locked(now, *level);
    const WallTime start = period_start(level->caps.period, record.period_start);
    if (start < level->starts) continue;
    level->set_period(start);
    level->committed = record.committed;
    level->committed += record.reserved;
    ++taken;
  }
  restart_journal_locked();
  return taken;
}

BudgetLedger::Level* BudgetLedger::level_of_record_locked(WallTime now, const BudgetRecord& record) {
  const KeyView name = record.name.view();
  switch (record.level) {
    case BudgetLevel::global:
      return &global_;
    case BudgetLevel::key: {
      const auto key = keys_.find(name);
      return key != keys_.end() && !key->second.retired ? &key->second : nullptr;
    }
    case BudgetLevel::session:
      break;
  }
  const BudgetPeriod period = session_caps_.period;
  if (!session_caps_.any() || period_start(period, record.period_start) < period_start(period, now)) return nullptr;
  const auto session = sessions_.find(name);
  if (session != sessions_.end()) return &session->second;
  const WallTime last_used = record.last_used == WallTime{} ? now : record.last_used;
  Level& pool = pool_locked(find_locked({.key = name.first()}));
  if (now - last_used >= BudgetOptions::kSessionRetention || pool.sessions >= bound_locked(pool)) return nullptr;
  // Records come as records() gives them, the most recently used session first: a later one is forgotten before it.
  Level& level = new_session_locked(now, pool, name);
  level.last_used = last_used;
  idle_.splice(idle_.begin(), idle_, level.place);
  return &level;
}

}  // namespace fuseboard
