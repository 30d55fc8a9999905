// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What calls use, and what that costs.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "fuseboard/budget/key_map.h"
#include "fuseboard/budget/money.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// a + b, clamped.
constexpr std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::uint64_t>::max() : sum;
}

// Tokens of one call. `input` includes `cached_input`, as OpenAI counts; whoever reads a dialect that counts them apart
// adds them up.
struct TokenUsage {
  std::uint64_t input = 0;
  std::uint64_t cached_input = 0;
  std::uint64_t output = 0;

  constexpr std::uint64_t total() const noexcept { return saturating_sum(input, output); }
  friend constexpr bool operator==(const TokenUsage&, const TokenUsage&) noexcept = default;
};

// Prices of a million tokens each.
struct ModelPrice {
  Money input{};
  std::optional<Money> cached_input{};  // without: as input
  Money output{};

  // Rounded up to a whole nano-dollar, once for the call. More cached than input tokens count as all of them cached.
  // Saturates.
  Money cost(const TokenUsage& usage) const noexcept;

  friend bool operator==(const ModelPrice&, const ModelPrice&) noexcept = default;
};

// What becomes of a call to a model that has no price [BUD-8].
enum class OnMissingPrice : std::uint8_t {
  reject,             // it is refused
  count_tokens_only,  // it costs nothing: caps in dollars do not hold for it, those in tokens and rounds do
};
std::string_view name(OnMissingPrice choice) noexcept;
std::optional<OnMissingPrice> on_missing_price_from_name(std::string_view name) noexcept;

// Why there is no price to charge by.
struct PriceMissing {
  KeyText model{};
};

// Prices by model. Immutable, so safe from any thread.
class PriceTable {
 public:
  struct Entry {
    Key model;  // a pair of provider and model, or a bare model that serves every provider
    ModelPrice price{};
  };

  // No prices: everything is decided by `on_missing`.
  explicit PriceTable(OnMissingPrice on_missing) : PriceTable({}, on_missing) {}
  // Throws InvalidOptions where a model is named twice.
  PriceTable(std::vector<Entry> entries, OnMissingPrice on_missing);

  // The price to charge by: the pair's own, else the bare model's. Where there is neither, nullopt (count tokens only)
  // or PriceMissing, as chosen. Allocates nothing.
  std::expected<std::optional<ModelPrice>, PriceMissing> price(std::string_view provider,
                                                               std::string_view model) const noexcept;

 private:
  KeyMap<ModelPrice> prices_;
  OnMissingPrice on_missing_;
};

}  // namespace fuseboard
