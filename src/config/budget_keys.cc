// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/budget_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "config/name_rules.h"
#include "config/setters.h"
#include "fuseboard/budget/money.h"
#include "fuseboard/budget/period.h"

namespace fuseboard::config {
namespace {

using CapsLayer = Layer<BudgetCaps>;

constexpr std::string_view kMoneyForm = "US dollars such as 5.00, with at most nine decimals";

std::optional<Money> read_money(const Cursor& cursor) {
  const auto text = read_text(cursor, kMoneyForm);
  if (!text) return std::nullopt;
  const auto amount = Money::parse(text->value);
  if (!amount) cursor.refuse(kMoneyForm);
  return amount;
}

void read_usd(const Cursor& cursor, CapsLayer& layer) {
  if (const auto amount = read_money(cursor))
    layer.set("usd", cursor, [amount](BudgetCaps& caps) { caps.usd = *amount; });
}

// A number below one becomes zero, which validate() refuses.
void set_cap(const Cursor& cursor, CapsLayer& layer, std::string_view field,
             std::optional<std::uint64_t> BudgetCaps::* member) {
  if (const auto cap = read_integer(cursor)) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(*cap, 0));
    layer.set(field, cursor, [member, value](BudgetCaps& caps) { caps.*member = value; });
  }
}

void read_period(const Cursor& cursor, CapsLayer& layer) {
  constexpr std::array kPeriods = {BudgetPeriod::total, BudgetPeriod::daily, BudgetPeriod::monthly};
  if (const auto period = read_named(cursor, kPeriods))
    layer.set("period", cursor, [period](BudgetCaps& caps) { caps.period = *period; });
}

constexpr std::array<Field<BudgetCaps>, 4> kCapsFields = {{
    {"usd", read_usd},
    {"tokens", [](const Cursor& cursor, CapsLayer& layer) { set_cap(cursor, layer, "tokens", &BudgetCaps::tokens); }},
    {"rounds", [](const Cursor& cursor, CapsLayer& layer) { set_cap(cursor, layer, "rounds", &BudgetCaps::rounds); }},
    {"period", read_period},
}};

BudgetCaps read_caps(const Cursor& cursor) {
  const CapsLayer layer = read_layer(cursor, kCapsFields);
  const std::array layers = {&layer};
  BudgetCaps caps = apply<BudgetCaps>(layers, {});
  report_problems<BudgetCaps>(caps, layers);
  return caps;
}

// "provider/model", or a model's own name for every provider. What comes before a '/' is a provider: a slip there
// would otherwise be a price that nothing is charged by.
std::optional<Key> read_price_name(const Cursor& prices, const Entry& entry, const Config& config) {
  Report& report = prices.context->report;
  const std::string path = join(prices.path, entry.key);
  const std::size_t slash = entry.key.find('/');
  const std::string_view model = std::string_view(entry.key).substr(slash == std::string::npos ? 0 : slash + 1);
  if (!is_upstream_model(model)) {
    report.say(entry.at, path, kModelForm);
    return std::nullopt;
  }
  if (slash == std::string::npos) return Key(KeyView(model));
  const std::string_view provider = std::string_view(entry.key).substr(0, slash);
  if (config.find_provider(provider) == nullptr) {
    report.say(entry.at, path, "what comes before the first / is not the name of one of the providers");
    return std::nullopt;
  }
  return Key(KeyView(provider, model));
}

ModelPrice read_price(const Cursor& cursor) {
  constexpr std::array<std::string_view, 3> kKeys = {"input", "cached_input", "output"};
  const MapReader map(cursor, kKeys);
  ModelPrice price;
  if (const auto input = map.require("input", kMoneyForm)) price.input = read_money(*input).value_or(Money{});
  if (const auto cached = map.find("cached_input")) price.cached_input = read_money(*cached);
  if (const auto output = map.require("output", kMoneyForm)) price.output = read_money(*output).value_or(Money{});
  return price;
}

void read_prices(const Cursor& cursor, Config& config) {
  if (!expect_kind(cursor, Node::Kind::map, "a map of models to prices")) return;
  for (const Entry& entry : cursor.node->entries) {
    const auto model = read_price_name(cursor, entry, config);
    const ModelPrice price = read_price(cursor.child(entry));
    if (model) config.prices.push_back({.model = *model, .price = price});
  }
}

}  // namespace

void read_budgets_and_prices(const MapReader& root, Config& config) {
  const auto budgets = root.find("budgets");
  if (budgets) {
    constexpr std::array<std::string_view, 2> kKeys = {"global", "session"};
    const MapReader map(*budgets, kKeys);
    if (const auto global = map.find("global")) config.budgets.global = read_caps(*global);
    if (const auto session = map.find("session")) config.budgets.session = read_caps(*session);
  }
  if (const auto prices = root.find("prices")) read_prices(*prices, config);
  const auto on_missing = root.find("on_missing_price");
  if (on_missing) {
    constexpr std::array kAll = {OnMissingPrice::reject, OnMissingPrice::count_tokens_only};
    config.on_missing_price = read_named(*on_missing, kAll).value_or(config.on_missing_price);
  }
  // A cap that some models do not count for is a choice, not an accident [BUD-8].
  if (budgets && !on_missing && (config.budgets.global.usd || config.budgets.session.usd)) {
    budgets->say(
        "a cap in dollars needs on_missing_price: reject or count_tokens_only, for calls to models that have no price");
  }
}

}  // namespace fuseboard::config
