// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <limits>

#include "fuseboard/budget/ledger.h"

namespace fuseboard {
namespace {

using Wide = budget_internal::Level::Wide;

constexpr std::array<std::string_view, 3> kLevelNames = {"global", "key", "session"};
constexpr std::array<std::string_view, 4> kKindNames = {"tokens", "usd", "rounds", "sessions"};

std::uint64_t narrow(Wide amount) noexcept {
  return static_cast<std::uint64_t>(std::min<Wide>(amount, std::numeric_limits<std::uint64_t>::max()));
}

}  // namespace

std::string_view name(BudgetLevel level) noexcept { return kLevelNames[static_cast<std::size_t>(level)]; }
std::string_view name(BudgetKind kind) noexcept { return kKindNames[static_cast<std::size_t>(kind)]; }

namespace budget_internal {

Level::Level(WallTime now, BudgetLevel which, const BudgetCaps& own_caps) : level(which), caps(own_caps) {
  set_period(now);
}

void Level::set_period(WallTime t) noexcept {
  starts = period_start(caps.period, t);
  ends = period_end(caps.period, starts);
}

void Level::set_caps(const BudgetCaps& new_caps) noexcept {
  const bool same_period = new_caps.period == caps.period;
  caps = new_caps;
  if (!same_period) set_period(starts);
}

void Level::start_period(WallTime now) noexcept {
  committed = {};
  set_period(now);
}

std::optional<WallTime> Level::ends_at(WallTime now) const noexcept {
  return is_over(now) ? period_end(caps.period, period_start(caps.period, now)) : ends;
}

BudgetSpend Level::reserved() const noexcept {
  return {.tokens = narrow(reserved_tokens),
          .cost = Money::from_nanos(narrow(reserved_nanos)),
          .rounds = narrow(reserved_rounds)};
}

void Level::reserve(const BudgetSpend& draw) noexcept {
  reserved_tokens += draw.tokens;
  reserved_nanos += draw.cost.nanos();
  reserved_rounds += draw.rounds;
  ++open;
}

void Level::release(const BudgetSpend& draw) noexcept {
  reserved_tokens -= draw.tokens;
  reserved_nanos -= draw.cost.nanos();
  reserved_rounds -= draw.rounds;
  --open;
}

std::optional<BudgetRejection> Level::rejection(WallTime now, const BudgetSpend& draw) const noexcept {
  const BudgetSpend spent = committed_at(now);
  const auto reject = [&](BudgetKind kind, std::optional<std::uint64_t> cap, std::uint64_t consumed, Wide reserved_now,
                          std::uint64_t wanted) -> std::optional<BudgetRejection> {
    if (!cap || wanted == 0 || consumed + reserved_now + wanted <= *cap) return std::nullopt;
    return BudgetRejection{.kind = kind,
                           .level = level,
                           .name = to_key_text(name),
                           .consumed = consumed,
                           .reserved = narrow(reserved_now),
                           .requested = wanted,
                           .limit = *cap,
                           .resets_at = ends_at(now)};
  };
  const std::optional<std::uint64_t> nanos = caps.usd ? std::optional(caps.usd->nanos()) : std::nullopt;
  if (auto tokens = reject(BudgetKind::tokens, caps.tokens, spent.tokens, reserved_tokens, draw.tokens)) return tokens;
  if (auto usd = reject(BudgetKind::usd, nanos, spent.cost.nanos(), reserved_nanos, draw.cost.nanos())) return usd;
  return reject(BudgetKind::rounds, caps.rounds, spent.rounds, reserved_rounds, draw.rounds);
}

BudgetRecord Level::record() const {
  return {.level = level,
          .name = Key(name),
          .period_start = starts,
          .committed = committed,
          .reserved = reserved(),
          .last_used = last_used};
}

BudgetLevelSnapshot Level::snapshot(WallTime now) const {
  return {.level = level,
          .name = Key(name),
          .caps = caps,
          .committed = committed_at(now),
          .reserved = reserved(),
          .open_reservations = open,
          .rejections = rejections,
          .overruns = overruns,
          .unpriced = unpriced,
          .period_start = is_over(now) ? period_start(caps.period, now) : starts,
          .resets_at = ends_at(now)};
}

}  // namespace budget_internal
}  // namespace fuseboard
