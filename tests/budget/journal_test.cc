// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/journal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/budget/support.h"
#include "tests/support/together.h"

namespace fuseboard {
namespace {

using namespace std::chrono_literals;
using Kind = BudgetChange::Kind;

// To compare: sorted by name, which the order of use is not part of.
using Line = std::tuple<BudgetLevel, std::string, WallTime, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                        std::uint64_t, std::uint64_t, WallTime>;
std::vector<Line> lines(const std::vector<BudgetRecord>& records) {
  std::vector<Line> lines;
  for (const BudgetRecord& record : records) {
    lines.emplace_back(record.level, to_text(record.name.view()), record.period_start, record.committed.tokens,
                       record.committed.cost.nanos(), record.committed.rounds, record.reserved.tokens,
                       record.reserved.cost.nanos(), record.reserved.rounds, record.last_used);
  }
  std::ranges::sort(lines);
  return lines;
}

// Keeps what it is told, and does then what a test wants.
class Journal final : public LedgerJournal {
 public:
  void restarted(std::span<const BudgetRecord> records) noexcept override {
    ++restarts;
    changes.clear();
    replay.restarted(records);
    if (on_told) on_told();
  }
  void changed(const BudgetChange& change) noexcept override {
    changes.push_back(change);
    replay.changed(change);
    if (on_told) on_told();
  }
  std::vector<Kind> kinds() const {
    std::vector<Kind> kinds;
    for (const BudgetChange& change : changes) kinds.push_back(change.kind);
    return kinds;
  }

  int restarts = 0;
  std::vector<BudgetChange> changes;
  LedgerReplay replay;
  std::function<void()> on_told;
};

class LedgerJournalTest : public testing::Test {
 protected:
  ManualWallClock clock_{at(2026, 1, 30)};
  Journal journal_;
};

TEST_F(LedgerJournalTest, BeginsWithTheLevelsThatThereAre) {  // BUD-11
  const BudgetLedger ledger({.keys = {{"a", {.rounds = 5}}}}, clock_, &journal_);
  EXPECT_EQ(journal_.restarts, 1);
  EXPECT_EQ(lines(journal_.replay.records()), lines(ledger.records()));
  EXPECT_EQ(journal_.replay.records().size(), 2U);
}

TEST_F(LedgerJournalTest, SaysOfEachLevelWhatWasReservedAndWhatWasCharged) {  // BUD-11
  BudgetLedger ledger({.keys = {{"a", {.rounds = 5}}}, .session = {.rounds = 5}}, clock_, &journal_);
  auto reservation = granted(ledger, tokens(10, 5), {.key = "a", .session = "s"});
  EXPECT_EQ(journal_.kinds(), (std::vector{Kind::began, Kind::used, Kind::used, Kind::used}));
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(journal_.changes[i].record.level, static_cast<BudgetLevel>(i - 1));
    EXPECT_EQ(journal_.changes[i].move.reserved, (BudgetSpend{.tokens = 15, .rounds = 1}));
    EXPECT_EQ(journal_.changes[i].record.reserved, journal_.changes[i].move.reserved);
  }
  journal_.changes.clear();
  std::move(reservation).settle({.input = 7});
  EXPECT_EQ(journal_.kinds(), (std::vector{Kind::used, Kind::used, Kind::used}));
  for (const BudgetChange& change : journal_.changes) {
    EXPECT_EQ(change.move.charged, (BudgetSpend{.tokens = 7, .rounds = 1}));
    EXPECT_EQ(change.move.released, (BudgetSpend{.tokens = 15, .rounds = 1}));
    EXPECT_EQ(change.record.reserved, BudgetSpend{});
  }
}

TEST_F(LedgerJournalTest, SaysWhenALevelBeginsAnewAndWhenASessionIsForgotten) {  // BUD-11, BUD-7
  BudgetLedger ledger({.global = {.rounds = 9, .period = BudgetPeriod::daily}, .session = {.rounds = 5}}, clock_,
                      &journal_);
  EXPECT_TRUE(ledger.check_and_tick({}));
  journal_.changes.clear();
  clock_.set(clock_.now() + 24h);
  EXPECT_TRUE(ledger.check_and_tick({}));
  EXPECT_EQ(journal_.kinds(), (std::vector{Kind::began, Kind::used})) << "the next day";
  journal_.changes.clear();
  (void)granted(ledger, tokens(1), {.session = "s"});
  EXPECT_EQ(journal_.kinds().back(), Kind::forgotten) << "it has spent nothing";
  EXPECT_EQ(journal_.replay.records().size(), 1U);
  journal_.changes.clear();
  EXPECT_TRUE(ledger.reset(BudgetLevel::global));
  EXPECT_EQ(journal_.kinds(), std::vector{Kind::began});
  EXPECT_EQ(journal_.restarts, 1);
  ledger.reset_all();
  EXPECT_EQ(journal_.restarts, 2);
}

TEST_F(LedgerJournalTest, MayCallTheLedgerAndHearsOfThatAfterwards) {  // BUD-11
  BudgetLedger ledger({}, clock_, &journal_);
  int inside = 0;
  int deepest = 0;
  bool once = true;
  journal_.on_told = [&] {
    deepest = std::max(deepest, ++inside);
    if (std::exchange(once, false)) ledger.charge({}, {.input = 2}, {});
    --inside;
  };
  ledger.charge({}, {.input = 1}, {});
  ASSERT_EQ(journal_.changes.size(), 2U);
  EXPECT_EQ(journal_.changes[0].record.committed.tokens, 1U);
  EXPECT_EQ(journal_.changes[1].record.committed.tokens, 3U);
  EXPECT_EQ(deepest, 1);
}

TEST_F(LedgerJournalTest, IsToldAllAnewWhereTooManyChangesWait) {  // BUD-11
  BudgetLedger ledger({}, clock_, &journal_);
  bool once = true;
  int more = 4096;
  journal_.on_told = [&] {
    if (!std::exchange(once, false)) return;
    for (int i = 0; i < more; ++i) ledger.charge({}, {.input = 1}, {});
  };
  ledger.charge({}, {.input = 1}, {});
  EXPECT_EQ(journal_.restarts, 1);
  EXPECT_EQ(journal_.changes.size(), 4097U);
  once = true;
  ++more;
  ledger.charge({}, {.input = 1}, {});
  EXPECT_EQ(journal_.restarts, 2);
  EXPECT_TRUE(journal_.changes.empty());
  EXPECT_EQ(lines(journal_.replay.records()), lines(ledger.records()));
}

TEST_F(LedgerJournalTest, OfManyThreadsHasOneOrder) {  // BUD-11, BUD-2
  BudgetLedger ledger({.keys = {{"k", {.tokens = 1'000'000}}}, .session = {.rounds = 1'000'000}}, clock_, &journal_);
  std::uint64_t latest = 0;
  bool in_order = true;
  journal_.on_told = [&] {
    if (journal_.changes.empty() || journal_.changes.back().record.level != BudgetLevel::global) return;
    const std::uint64_t now = journal_.changes.back().record.committed.tokens;
    in_order = in_order && now >= std::exchange(latest, now);
  };
  together(4, [&](int t) {
    for (int i = 0; i < 200; ++i) {
      const std::string session = "s" + std::to_string((t + i) % 5);
      auto reservation = ledger.reserve({.key = "k", .session = session}, tokens(3, 2));
      if (reservation && i % 2 == 0) std::move(*reservation).settle({.input = 3});
    }
  });
  ledger.charge({}, {}, {});  // whoever told until now has done so
  EXPECT_TRUE(in_order);
  EXPECT_EQ(lines(journal_.replay.records()), lines(ledger.records()));
}

TEST(LedgerReplay, PutsSessionsThatAreInUseFirstAsTheLedgerDoes) {  // BUD-11
  ManualWallClock clock(at(2026, 1, 30));
  LedgerReplay replay;
  BudgetLedger ledger({.keys = {{"b", {}}, {"a", {}}}, .session = {.rounds = 5}}, clock, &replay);
  for (const char* session : {"old", "new"}) {
    EXPECT_TRUE(ledger.check_and_tick({.session = session}));
    clock.set(clock.now() + 1s);
  }
  const BudgetReservation open = granted(ledger, tokens(1), {.session = "busy"});
  const auto names = [](const std::vector<BudgetRecord>& records) {
    std::vector<std::string> listed;
    for (const BudgetRecord& record : records) listed.push_back(to_text(record.name.view()));
    return listed;
  };
  EXPECT_EQ(names(replay.records()), names(ledger.records()));
}

BudgetOptions any_options() {
  const auto caps = [] {
    return BudgetCaps{.tokens = *rc::gen::inRange<std::uint64_t>(1, 300),
                      .period = *rc::gen::element(BudgetPeriod::total, BudgetPeriod::daily, BudgetPeriod::monthly)};
  };
  BudgetOptions options{.global = caps(), .max_sessions = 3, .max_sessions_per_key = 2};
  if (*rc::gen::arbitrary<bool>()) options.keys.push_back({"a", caps()});
  if (*rc::gen::arbitrary<bool>()) options.keys.push_back({"b", caps()});
  if (*rc::gen::inRange(0, 4) > 0) options.session = caps();
  return options;
}

RC_GTEST_PROP(LedgerJournalProperty, ReplayedItIsTheLedger, ()) {  // BUD-11, BUD-7
  ManualWallClock clock(at(2026, 1, 30));
  LedgerReplay replay;
  BudgetLedger ledger(any_options(), clock, &replay);
  std::map<int, BudgetReservation> open;
  const int steps = *rc::gen::inRange(1, 80);
  for (int step = 0; step < steps; ++step) {
    const std::string key = *rc::gen::element<std::string>("", "a", "b", "unknown");
    const std::string session = *rc::gen::element<std::string>("", "s1", "s2", "s3");
    const BudgetAccount account = {.key = key, .session = session};
    const TokenUsage usage = {.input = *rc::gen::inRange<std::uint64_t>(0, 40)};
    switch (*rc::gen::weightedElement<int>({{8, 0}, {6, 1}, {3, 2}, {3, 3}, {3, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}})) {
      case 0:
        if (auto reservation = ledger.reserve(account, {.usage = usage, .price = dear()}))
          open.emplace(step, *std::move(reservation));
        break;
      case 1:
        if (open.empty()) break;
        if (*rc::gen::arbitrary<bool>()) std::move(open.begin()->second).settle(usage);
        open.erase(open.begin());
        break;
      case 2:
        (void)ledger.check_and_tick(account);
        break;
      case 3:
        ledger.charge(account, usage, usd("2"));
        break;
      case 4:
        clock.set(clock.now() + std::chrono::hours(*rc::gen::inRange(-30, 60)));
        break;
      case 5:
        ledger.reset(*rc::gen::element(BudgetLevel::global, BudgetLevel::key, BudgetLevel::session), account);
        break;
      case 6:
        ledger.reset_all();
        break;
      case 7:
        ledger.configure(any_options());
        break;
      case 8:
        if (open.empty()) ledger.restore(ledger.records());
        break;
    }
    RC_ASSERT(lines(replay.records()) == lines(ledger.records()));
  }
}

}  // namespace
}  // namespace fuseboard
