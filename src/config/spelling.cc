// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace fuseboard::config {
namespace {

// Distances grow with the product of the lengths, and no known name is nearly as long.
constexpr std::size_t kLongestCompared = 64;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Damerau and Levenshtein's, in the form where no part is edited twice: three rows of the table are enough.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string_view> nearest_name(std::string_view name, std::span<const std::string_view> known) {
  std::optional<std::string_view> nearest;
  std::size_t distance = std::max<std::size_t>(name.size() / 2, 1) + 1;
  if (name.size() > kLongestCompared) return std::nullopt;
  for (const std::string_view candidate : known) {
    const std::size_t d = edit_distance(name, candidate);
    if (d < distance) {
      distance = d;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string unknown_name(std::string_view name, std::span<const std::string_view> known) {
  if (const auto nearest = nearest_name(name, known)) {
    return fmt::format("not a known key; did you mean \"{}\"?", *nearest);
  }
  return fmt::format("not a known key; known here: {}", fmt::join(known, ", "));
}

}  // namespace fuseboard::config
