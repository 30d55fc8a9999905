// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/ids.h"

#include <array>

namespace fuseboard {

std::string new_request_id(Rng& rng) {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string id = "req_";
  id.reserve(30);
  const std::array<std::uint64_t, 2> words = {rng.next(), rng.next()};
  for (std::uint64_t word : words) {
    for (int i = 0; i < 13; ++i) {
      id += kAlphabet[word & 31U];
      word >>= 5;
    }
  }
  return id;
}

}  // namespace fuseboard
