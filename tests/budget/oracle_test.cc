// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The ledger against a naive model on random histories, wall clocks that jump included.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/budget/support.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;

// Adds up what is open whenever it is asked.
class Model {
 public:
  struct Scope {
    BudgetCaps caps{};
    long period = 0;
    BudgetSpend committed{};
  };
  struct Open {
    std::vector<std::string> scopes;
    BudgetSpend draw{};
  };

  void add(WallTime now, const std::string& name, const BudgetCaps& caps) {
    scopes[name] = {.caps = caps, .period = period_of(caps, now)};
  }

  bool would_grant(WallTime now, const std::vector<std::string>& names, const BudgetSpend& draw) const {
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      const Scope& scope = scopes.at(name);
      const bool over = period_of(scope.caps, now) > scope.period;
      const BudgetSpend spent = over ? BudgetSpend{} : scope.committed;
      const BudgetSpend held = reserved(name);
      const auto fits = [](std::uint64_t used, std::uint64_t more, std::optional<std::uint64_t> cap) {
        return more == 0 || !cap || used + more <= *cap;
      };
      return fits(spent.tokens + held.tokens, draw.tokens, scope.caps.tokens) &&
             fits((spent.cost + held.cost).nanos(), draw.cost.nanos(),
                  scope.caps.usd ? std::optional(scope.caps.usd->nanos()) : std::nullopt) &&
             fits(spent.rounds + held.rounds, draw.rounds, scope.caps.rounds);
    });
  }

  void spend(WallTime now, const std::vector<std::string>& names, const BudgetSpend& amount) {
    for (const std::string& name : names) {
      Scope& scope = scopes.at(name);
      if (const long period = period_of(scope.caps, now); period > scope.period) {
        scope.period = period;
        scope.committed = {};
      }
      scope.committed += amount;
    }
  }

  BudgetSpend reserved(const std::string& name) const {
    BudgetSpend sum;
    for (const auto& [id, reservation] : open) {
      if (std::count(reservation.scopes.begin(), reservation.scopes.end(), name) > 0) sum += reservation.draw;
    }
    return sum;
  }

  static long period_of(const BudgetCaps& caps, WallTime t) {
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    switch (caps.period) {
      case BudgetPeriod::total:
        return 0;
      case BudgetPeriod::daily:
        return day.time_since_epoch().count();
      case BudgetPeriod::monthly:
        return int{date.year()} * 12L + static_cast<long>(unsigned{date.month()});
    }
    return 0;
  }

  std::map<std::string, Scope> scopes;
  std::map<int, Open> open;
};

rc::Gen<BudgetCaps> any_caps() {
  return rc::gen::exec([] {
    BudgetCaps caps;
    caps.period = *rc::gen::element(BudgetPeriod::total, BudgetPeriod::daily, BudgetPeriod::monthly);
    if (*rc::gen::arbitrary<bool>()) caps.tokens = *rc::gen::inRange<std::uint64_t>(1, 200);
    if (*rc::gen::arbitrary<bool>())
      caps.usd = Money::from_nanos(*rc::gen::inRange<std::uint64_t>(0, 300) * 1000000000);
    if (*rc::gen::arbitrary<bool>()) caps.rounds = *rc::gen::inRange<std::uint64_t>(1, 20);
    return caps;
  });
}

TokenUsage any_usage() {
  const auto input = *rc::gen::inRange<std::uint64_t>(0, 40);
  return {.input = input,
          .cached_input = *rc::gen::inRange<std::uint64_t>(0, input + 1),
          .output = *rc::gen::inRange<std::uint64_t>(0, 40)};
}

RC_GTEST_PROP(BudgetOracle, AgreesWithTheRulesOnRandomHistories, ()) {  // BUD-1 BUD-2 BUD-3 BUD-4 BUD-7 BUD-9
  ManualWallClock clock(at(2026, 1, 30));
  const BudgetCaps global = *any_caps();
  const BudgetCaps key = *any_caps();
  BudgetCaps session = *any_caps();
  if (!session.any()) session.rounds = 5;
  BudgetLedger ledger({.global = global, .keys = {{"a", key}, {"b", key}}, .session = session}, clock);
  Model model;
  model.add(clock.now(), "", global);
  model.add(clock.now(), "a", key);
  model.add(clock.now(), "b", key);

  std::map<int, BudgetReservation> open;
  int next_id = 0;
  const int steps = *rc::gen::inRange(1, 100);
  for (int step = 0; step < steps; ++step) {
    const WallTime now = clock.now();
    const std::string key_name = *rc::gen::element<std::string>("", "a", "b", "unknown");
    const std::string session_name = *rc::gen::element<std::string>("", "s1", "s2");
    const BudgetAccount account = {.key = key_name, .session = session_name};
    std::vector<std::string> names = {""};
    if (model.scopes.contains(key_name) && !key_name.empty()) names.push_back(key_name);
    if (!session_name.empty()) names.push_back(key_name + "/" + session_name);
    // A session that is not held yet, or not any more, is a new one to whoever asks for it.
    const auto meet = [&] {
      const bool held = ledger.levels_of(account).back().level == BudgetLevel::session;
      if (!session_name.empty() && !held) model.add(now, names.back(), session);
    };
    const auto any_open = [&] {
      return std::next(open.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(open.size())));
    };

    switch (*rc::gen::weightedElement<int>({{8, 0}, {5, 1}, {2, 2}, {2, 3}, {1, 4}, {2, 5}})) {
      case 0: {
        meet();
        BudgetEstimate estimate = {.usage = any_usage()};
        if (*rc::gen::arbitrary<bool>()) estimate.price = dear();
        const BudgetSpend draw = {.tokens = estimate.usage.input + estimate.usage.output,
                                  .cost = estimate.price ? dear().cost(estimate.usage) : Money(),
                                  .rounds = 1};
        const bool expected = model.would_grant(now, names, draw);
        auto reservation = ledger.reserve(account, estimate);
        RC_ASSERT(reservation.has_value() == expected);
        if (!expected) break;
        model.spend(now, names, {});
        model.open[next_id] = {.scopes = names, .draw = draw};
        open.emplace(next_id++, std::move(*reservation));
        break;
      }
      case 1: {
        if (open.empty()) break;
        const auto it = any_open();
        const TokenUsage usage = any_usage();
        const Money cost = Money::from_nanos(*rc::gen::inRange<std::uint64_t>(0, 50) * 1000000000);
        const BudgetSpend draw = model.open.at(it->first).draw;
        const BudgetSettlement settlement = std::move(it->second).settle(usage, cost);
        RC_ASSERT(settlement.overrun == (usage.input + usage.output > draw.tokens || cost > draw.cost));
        model.spend(now, model.open.at(it->first).scopes,
                    {.tokens = usage.input + usage.output, .cost = cost, .rounds = 1});
        model.open.erase(it->first);
        open.erase(it);
        break;
      }
      case 2: {
        if (open.empty()) break;
        const auto it = any_open();
        const bool sent = *rc::gen::arbitrary<bool>();
        if (sent) it->second.mark_sent();
        const BudgetSettlement settlement = std::move(it->second).release();
        RC_ASSERT(sent || settlement.charged == BudgetSpend{});
        RC_ASSERT(!sent || settlement.charged.rounds == 1U);
        model.spend(now, model.open.at(it->first).scopes, settlement.charged);
        model.open.erase(it->first);
        open.erase(it);
        break;
      }
      case 3: {
        meet();
        const bool expected = model.would_grant(now, names, {.tokens = 1, .cost = Money::from_nanos(1), .rounds = 1});
        RC_ASSERT(ledger.check(account).has_value() == !expected);
        RC_ASSERT(ledger.check_and_tick(account).has_value() == expected);
        if (expected) model.spend(now, names, {.rounds = 1});
        break;
      }
      case 4: {
        meet();
        const TokenUsage usage = any_usage();
        ledger.charge(account, usage, usd("1.5"));
        model.spend(now, names, {.tokens = usage.input + usage.output, .cost = usd("1.5")});
        break;
      }
      default:
        clock.set(now + *rc::gen::element<std::chrono::hours>(-800h, -24h, -1h, 1h, 13h, 24h, 800h));
    }

    for (const BudgetLevelSnapshot& level : ledger.snapshot().levels) {
      const std::string name = level.level == BudgetLevel::session ? std::string(level.name.view().first()) + "/" +
                                                                         std::string(level.name.view().second())
                                                                   : std::string(level.name.view().first());
      const Model::Scope& scope = model.scopes.at(name);
      const bool over = Model::period_of(scope.caps, clock.now()) > scope.period;
      RC_ASSERT(level.committed == (over ? BudgetSpend{} : scope.committed));
      RC_ASSERT(level.reserved == model.reserved(name));
    }
  }
  open.clear();
  for (const BudgetLevelSnapshot& level : ledger.snapshot().levels) {
    RC_ASSERT(level.reserved == BudgetSpend{});
    RC_ASSERT(level.open_reservations == 0U);
  }
}

}  // namespace
}  // namespace fuseboard
