// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an attempt is charged with, whatever its provider tells or does not tell [BUD-10].
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "fuseboard/budget/price.h"

namespace fuseboard {

struct ChargedUsage {
  TokenUsage usage{};
  bool understated = false;  // less was told than a quarter of what was seen
};

// `told`: what the provider says was used; nullopt where it says nothing that can be read. `estimate`: of the request,
// of which the input counts; its output is what was allowed, not what was used. `seen`: what was read of the answer,
// which is an estimate itself, so that only a gross difference speaks against what was told.
constexpr ChargedUsage charged_usage(const std::optional<TokenUsage>& told, const TokenUsage& estimate,
                                     const TokenUsage& seen) noexcept {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (told) {
    const std::uint64_t fourfold = told->output > kMax / 4 ? kMax : told->output * 4;
    if (fourfold >= seen.output) return {.usage = *told};
    return {.usage = {.input = std::max(told->input, estimate.input),
                      .cached_input = told->cached_input,
                      .output = seen.output},
            .understated = true};
  }
  return {.usage = {
              .input = std::max(seen.input, estimate.input), .cached_input = seen.cached_input, .output = seen.output}};
}

}  // namespace fuseboard
