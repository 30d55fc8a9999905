// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/ids.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace fuseboard {

RequestId new_request_id(Rng& rng) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::array<char, 30> id = {'r', 'e', 'q', '_'};
  auto at = id.begin() + 4;
  const std::array<std::uint64_t, 2> words = {rng.next(), rng.next()};
  for (std::uint64_t word : words) {
    for (int i = 0; i < 13; ++i) {
      *at++ = kAlphabet[word & 31U];
      word >>= 5;
    }
  }
  return std::string_view(id.data(), id.size());
}

}  // namespace fuseboard
