// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/price.h"

#include <algorithm>
#include <array>

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 2> kOnMissingNames = {"reject", "count_tokens_only"};

}  // namespace

std::string_view name(OnMissingPrice choice) noexcept { return kOnMissingNames[static_cast<std::size_t>(choice)]; }

std::optional<OnMissingPrice> on_missing_price_from_name(std::string_view name) noexcept {
  const auto found = std::find(kOnMissingNames.begin(), kOnMissingNames.end(), name);
  if (found == kOnMissingNames.end()) return std::nullopt;
  return static_cast<OnMissingPrice>(found - kOnMissingNames.begin());
}

Money ModelPrice::cost(const TokenUsage& usage) const noexcept {
  // A product is below 2^127, so three of them could overflow: each is clamped before they are added.
  __extension__ using Wide = unsigned __int128;
  static constexpr Wide kMax = Wide{Money::max().nanos()} * 1'000'000;
  const auto part = [](Money price, std::uint64_t tokens) { return std::min(Wide{price.nanos()} * tokens, kMax); };
  const std::uint64_t cached = std::min(usage.cached_input, usage.input);
  const Wide millionths =
      part(input, usage.input - cached) + part(cached_input.value_or(input), cached) + part(output, usage.output);
  const Wide nanos = (std::min(millionths, kMax) + 999'999) / 1'000'000;
  return Money::from_nanos(static_cast<std::uint64_t>(nanos));
}

PriceTable::PriceTable(std::vector<Entry> entries, OnMissingPrice on_missing) : on_missing_(on_missing) {
  Validator validator;
  for (Entry& entry : entries) {
    const std::string field = "prices." + to_text(entry.model.view());
    validator.require(prices_.try_emplace(std::move(entry.model), entry.price).second, field, "named twice",
                      "one entry");
  }
  throw_if_invalid(std::move(validator).take());
}

std::expected<std::optional<ModelPrice>, PriceMissing> PriceTable::price(std::string_view provider,
                                                                         std::string_view model) const noexcept {
  auto found = prices_.find(KeyView(provider, model));
  if (found == prices_.end()) found = prices_.find(KeyView(model));
  if (found != prices_.end()) return found->second;
  if (on_missing_ == OnMissingPrice::count_tokens_only) return std::optional<ModelPrice>();
  return std::unexpected(PriceMissing{.model = to_key_text(KeyView(provider, model))});
}

}  // namespace fuseboard
