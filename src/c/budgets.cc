// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Ledgers and attempt budgets.
#include <algorithm>
#include <utility>

#include "c/boundary.h"
#include "c/handles.h"
#include "fuseboard/c/plan.h"

using namespace fuseboard;
using namespace fuseboard::c_api;

namespace {

static_assert(FUSEBOARD_PERIOD_TOTAL == static_cast<int>(BudgetPeriod::total));
static_assert(FUSEBOARD_PERIOD_DAILY == static_cast<int>(BudgetPeriod::daily));
static_assert(FUSEBOARD_PERIOD_MONTHLY == static_cast<int>(BudgetPeriod::monthly));

fuseboard_budget_caps default_caps() noexcept {
  return {.struct_size = sizeof(fuseboard_budget_caps),
          .tokens = 0,
          .rounds = 0,
          .usd_nanos = FUSEBOARD_NO_MONEY,
          .period = FUSEBOARD_PERIOD_TOTAL};
}

fuseboard_ledger_options default_ledger_options() noexcept {
  return {.struct_size = sizeof(fuseboard_ledger_options),
          .global = nullptr,
          .keys = nullptr,
          .key_count = 0,
          .session = nullptr,
          .max_sessions = BudgetOptions{}.max_sessions,
          .max_sessions_per_key = BudgetOptions{}.max_sessions_per_key};
}

// Notes what caps cannot even be given; the rest is for the ledger to complain of.
BudgetCaps to_caps(const fuseboard_budget_caps* given, const std::string& field, Validator& validator) {
  if (given == nullptr) return {};
  const auto caps = read(*given, default_caps());
  BudgetCaps result;
  if (caps.tokens != 0) result.tokens = caps.tokens;
  if (caps.rounds != 0) result.rounds = caps.rounds;
  validator.require(caps.usd_nanos >= FUSEBOARD_NO_MONEY, field + ".usd_nanos", std::to_string(caps.usd_nanos),
                    "-1 or more");
  if (caps.usd_nanos >= 0) result.usd = Money::from_nanos(static_cast<std::uint64_t>(caps.usd_nanos));
  validator.in_range(field + ".period", caps.period, 0, std::int32_t{FUSEBOARD_PERIOD_MONTHLY});
  if (caps.period >= 0 && caps.period <= FUSEBOARD_PERIOD_MONTHLY)
    result.period = static_cast<BudgetPeriod>(caps.period);
  return result;
}

BudgetOptions to_budget_options(const fuseboard_ledger_options& given) {
  Validator validator;
  BudgetOptions result{.global = to_caps(given.global, "global", validator),
                       .session = to_caps(given.session, "session", validator),
                       .max_sessions = given.max_sessions,
                       .max_sessions_per_key = given.max_sessions_per_key};
  if (given.key_count > 0) required(given.keys, "keys");
  for (std::size_t i = 0; i < given.key_count; ++i) {
    const std::string key(required_name(given.keys[i].key, "keys.key"));
    result.keys.push_back({.key = key, .caps = to_caps(given.keys[i].caps, "keys." + key, validator)});
  }
  Problems problems = std::move(validator).take();
  std::ranges::move(result.validate(), std::back_inserter(problems));
  throw_if_invalid(std::move(problems));
  return result;
}

// One level of a ledger. Without a key a session is one of those that belong to no key.
struct LevelName {
  LevelName(const char* key, const char* session) {
    if (key != nullptr) {
      account.key = required_name(key, "key");
      level = BudgetLevel::key;
    }
    if (session != nullptr) {
      account.session = required_name(session, "session");
      level = BudgetLevel::session;
    }
  }

  BudgetLevel level = BudgetLevel::global;
  BudgetAccount account{};
};

fuseboard_budget_level from_level(const BudgetLevelSnapshot& level) noexcept {
  return {.struct_size = 0,
          .tokens = level.committed.tokens,
          .rounds = level.committed.rounds,
          .usd_nanos = static_cast<std::int64_t>(level.committed.cost.nanos()),
          .reserved_tokens = level.reserved.tokens,
          .reserved_rounds = level.reserved.rounds,
          .reserved_usd_nanos = static_cast<std::int64_t>(level.reserved.cost.nanos()),
          .open_reservations = level.open_reservations,
          .rejections = level.rejections,
          .overruns = level.overruns};
}

}  // namespace

fuseboard_status fuseboard_budget_caps_init(fuseboard_budget_caps* caps) noexcept {
  return guarded([&] {
    required(caps, "caps") = default_caps();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_ledger_options_init(fuseboard_ledger_options* options) noexcept {
  return guarded([&] {
    required(options, "options") = default_ledger_options();
    return FUSEBOARD_OK;
  });
}

fuseboard_status fuseboard_ledger_create(const fuseboard_ledger_options* options, fuseboard_ledger** ledger) noexcept {
  return guarded([&] {
    required(ledger, "ledger") = nullptr;
    const auto given = read(required(options, "options"), default_ledger_options());
    *ledger = new fuseboard_ledger{std::make_shared<BudgetLedger>(to_budget_options(given))};
    return FUSEBOARD_OK;
  });
}

void fuseboard_ledger_destroy(fuseboard_ledger* ledger) noexcept { delete ledger; }

fuseboard_status fuseboard_ledger_get_level(const fuseboard_ledger* ledger, const char* key, const char* session,
                                            fuseboard_budget_level* level) noexcept {
  return guarded([&]() -> fuseboard_status {
    const auto& shared = required(ledger, "ledger").shared;
    check_out(&required(level, "level"));
    const LevelName name(key, session);
    for (const BudgetLevelSnapshot& held : shared->levels_of(name.account)) {
      if (held.level != name.level) continue;
      write(level, from_level(held));
      return FUSEBOARD_OK;
    }
    return fail(FUSEBOARD_NOT_FOUND, "no such level");
  });
}

fuseboard_status fuseboard_ledger_reset(fuseboard_ledger* ledger, const char* key, const char* session) noexcept {
  return guarded([&]() -> fuseboard_status {
    const auto& shared = required(ledger, "ledger").shared;
    const LevelName name(key, session);
    return shared->reset(name.level, name.account) ? FUSEBOARD_OK : fail(FUSEBOARD_NOT_FOUND, "no such level");
  });
}

fuseboard_status fuseboard_attempt_budget_create(uint32_t attempts, fuseboard_attempt_budget** budget) noexcept {
  return guarded([&] {
    required(budget, "budget") = nullptr;
    *budget = new fuseboard_attempt_budget{std::make_shared<AttemptBudget>(attempts)};
    return FUSEBOARD_OK;
  });
}

void fuseboard_attempt_budget_destroy(fuseboard_attempt_budget* budget) noexcept { delete budget; }

uint32_t fuseboard_attempt_budget_left(const fuseboard_attempt_budget* budget) noexcept {
  return budget == nullptr ? 0 : budget->shared->left();
}
