// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/glob.h"

#include <cstddef>

namespace fuseboard {

bool glob_match(std::string_view pattern, std::string_view text) noexcept {
  // Only the last star can still give way: what an earlier one matched leaves the later ones at least as much.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool glob_matches(const KeyView& pattern, const KeyView& key) noexcept {
  if (pattern.is_pair() != key.is_pair()) return false;
  return glob_match(pattern.first(), key.first()) && (!key.is_pair() || glob_match(pattern.second(), key.second()));
}

}  // namespace fuseboard
