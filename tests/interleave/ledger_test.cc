// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The ledger of budgets under every interleaving of three threads with two operations each: linearizable, and no grant
// takes what is committed and reserved above a cap [BUD-2].
#include "fuseboard/budget/ledger.h"

#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "tests/interleave/expect_explored.h"
#include "tests/interleave/history.h"

namespace fuseboard::interleave {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kCap = 10;
constexpr std::uint64_t kSessionCap = 6;

// Two sessions of one key; thread 2 shares the session of thread 0.
class LedgerWorld {
 public:
  std::string reserve(std::size_t thread, std::uint64_t tokens) {
    auto reservation = ledger_.reserve(account(thread), {.usage = {.input = tokens}});
    if (!reservation) return rejected(reservation.error());
    take(thread, tokens);
    held_[thread].push_back(std::move(*reservation));
    return "reserved";
  }
  std::string settle(std::size_t thread, std::uint64_t tokens) {
    if (held_[thread].empty()) return "nothing to settle";
    const std::uint64_t reserved = held_[thread].back().reserved().tokens;
    const BudgetSettlement settlement = std::move(held_[thread].back()).settle({.input = tokens});
    if (tokens < reserved) release(thread, reserved - tokens);
    return settlement.overrun ? "overrun" : "settled " + std::to_string(settlement.charged.tokens);
  }
  std::string release(std::size_t thread) {
    if (held_[thread].empty()) return "nothing to release";
    const std::uint64_t reserved = held_[thread].back().reserved().tokens;
    (void)std::move(held_[thread].back()).release();
    release(thread, reserved);
    return "released";
  }
  // As a caller that goes away after its call was sent: its input is charged.
  std::string drop_sent(std::size_t thread) {
    if (held_[thread].empty()) return "nothing to drop";
    held_[thread].back().mark_sent();
    held_[thread].pop_back();
    return "dropped";
  }
  std::string tick(std::size_t thread) {
    const auto ticked = ledger_.check_and_tick(account(thread));
    return ticked ? "ticked" : rejected(ticked.error());
  }
  std::string check(std::size_t thread) const {
    const auto rejection = ledger_.check(account(thread));
    return rejection ? rejected(*rejection) : "would pass";
  }

  std::string text() const {
    std::ostringstream text;
    for (const BudgetLevelSnapshot& level : ledger_.snapshot().levels) {
      text << name(level.level) << ' ' << level.committed.tokens << '+' << level.reserved.tokens << " tokens "
           << level.committed.rounds << '+' << level.reserved.rounds << " rounds, " << level.open_reservations
           << " open, " << level.rejections << " refused; ";
    }
    return text.str();
  }
  const std::string& wrong() const { return wrong_; }

 private:
  static std::string rejected(const BudgetRejection& rejection) {
    return "refused by " + std::string(name(rejection.level)) + ' ' + std::string(name(rejection.kind)) + ", " +
           std::to_string(rejection.consumed) + '+' + std::to_string(rejection.reserved);
  }
  static BudgetAccount account(std::size_t thread) { return {.key = "agent", .session = thread == 1 ? "b" : "a"}; }
  void take(std::size_t thread, std::uint64_t tokens) {
    taken_ += tokens;
    taken_by_session_[thread % 2] += tokens;
    if (taken_ > kCap || taken_by_session_[thread % 2] > kSessionCap) wrong_ = "a grant above the cap";
  }
  void release(std::size_t thread, std::uint64_t tokens) {
    taken_ -= tokens;
    taken_by_session_[thread % 2] -= tokens;
  }

  ManualWallClock clock_{std::chrono::sys_days(std::chrono::year(2026) / 3 / 10)};
  BudgetLedger ledger_{{.global = {.tokens = kCap}, .session = {.tokens = kSessionCap, .rounds = 3}}, clock_};
  std::array<std::vector<BudgetReservation>, 3> held_{};
  std::uint64_t taken_ = 0;
  std::array<std::uint64_t, 2> taken_by_session_{};
  std::string wrong_{};
};

using Act = Operation<LedgerWorld>;

Act reserve(std::size_t thread, std::uint64_t tokens) {
  return [=](LedgerWorld& world) { return world.reserve(thread, tokens); };
}
Act settle(std::size_t thread, std::uint64_t tokens) {
  return [=](LedgerWorld& world) { return world.settle(thread, tokens); };
}
Act release(std::size_t thread) {
  return [=](LedgerWorld& world) { return world.release(thread); };
}
Act drop_sent(std::size_t thread) {
  return [=](LedgerWorld& world) { return world.drop_sent(thread); };
}
Act tick(std::size_t thread) {
  return [=](LedgerWorld& world) { return world.tick(thread); };
}
Act check(std::size_t thread) {
  return [=](LedgerWorld& world) { return world.check(thread); };
}

TEST(BudgetInterleavings, NoGrantPassesACap) {  // BUD-2 BUD-4 BUD-9
  const std::vector<Threads<LedgerWorld>> programs = {
      {{reserve(0, 6), settle(0, 6)}, {reserve(1, 6), settle(1, 6)}, {reserve(2, 6), settle(2, 6)}},
      {{reserve(0, 4), settle(0, 1)}, {reserve(1, 5), settle(1, 2)}, {reserve(2, 4), release(2)}},
      {{reserve(0, 6), release(0)}, {reserve(1, 6), release(1)}, {reserve(2, 6), release(2)}},
      {{reserve(0, 5), drop_sent(0)}, {reserve(1, 6), release(1)}, {reserve(2, 2), drop_sent(2)}},
      {{reserve(0, 6), tick(0)}, {reserve(1, 4), check(1)}, {tick(2), tick(2)}},
      {{reserve(0, 3), reserve(0, 3)}, {check(1), reserve(1, 5)}, {reserve(2, 3), reserve(2, 1)}},
      {{reserve(0, 3), settle(0, 5)}, {reserve(1, 5), settle(1, 6)}, {reserve(2, 3), check(2)}},
  };
  expect_explored(explore_all(programs, [] { return std::make_unique<LedgerWorld>(); }), 340, 690);
}

}  // namespace
}  // namespace fuseboard::interleave
