// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A table of phrases, compiled and indexed while the library is built. The first row that matches decides.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "classify/rules.h"
#include "classify/words.h"

namespace fuseboard::classify_internal {

inline bool may_speak(const PhraseRow& row, std::optional<Category> known) noexcept {
  if (!known) return row.use != Use::in_class;
  return row.use != Use::free && row.within.contains(*known);
}

template <const auto& kPhrases>
class PhraseTable {
 public:
  // The row that stands first of those that match and may speak; nullptr without one.
  static const PhraseRow* find(const Words& words, std::optional<Category> known) noexcept {
    std::size_t best = kRows;
    for (std::size_t at = 0; at < words.size(); ++at) {
      if (words[at].kind == WordKind::quoted) continue;
      // Chains ascend, so what cannot be better than the best ends them.
      for (std::size_t row = kIndex.first[words[at].hash % kBuckets]; row < best; row = kIndex.next[row]) {
        if (kIndex.word[row] != words[at].hash) continue;
        std::size_t after = 0;
        if (may_speak(kPhrases[row], known) && pattern(row).matches(words, at, after)) best = row;
      }
    }
    return best == kRows ? nullptr : &kPhrases[best];
  }

 private:
  static constexpr std::size_t kRows = std::size(kPhrases);
  // Compiled in chunks, because compilers bound the steps of one constant.
  static constexpr std::size_t kChunkRows = 128;
  static constexpr std::size_t kChunks = (kRows + kChunkRows - 1) / kChunkRows;
  // Rows by their first word: a table of chains.
  static constexpr std::size_t kBuckets = kRows > 1024 ? 8192 : 4096;
  static constexpr std::uint16_t kEnd = 0xFFFF;
  struct Index {
    std::array<std::uint16_t, kBuckets> first{};
    std::array<std::uint16_t, kRows> next{};
    std::array<std::uint64_t, kRows> word{};  // the first word's hash: most words end the search here
  };

  template <std::size_t kChunk>
  static consteval std::array<Pattern, kChunkRows> compile() {
    std::array<Pattern, kChunkRows> patterns{};
    for (std::size_t i = 0; i < kChunkRows && kChunk * kChunkRows + i < kRows; ++i) {
      patterns[i] = Pattern(kPhrases[kChunk * kChunkRows + i].text);
    }
    return patterns;
  }
  template <std::size_t kChunk>
  static constexpr std::array<Pattern, kChunkRows> kCompiled = compile<kChunk>();

  template <std::size_t... kChunk>
  static consteval std::array<const Pattern*, kChunks> chunks(std::index_sequence<kChunk...> /*all*/) {
    return {kCompiled<kChunk>.data()...};
  }
  static constexpr std::array<const Pattern*, kChunks> kPatterns = chunks(std::make_index_sequence<kChunks>());

  static constexpr const Pattern& pattern(std::size_t row) noexcept {
    return kPatterns[row / kChunkRows][row % kChunkRows];
  }

  static consteval bool all_are_patterns() {
    for (std::size_t row = 0; row < kRows; ++row) {
      if (pattern(row).empty()) return false;
    }
    return true;
  }
  static consteval Index index_rows() {
    Index index;
    index.first.fill(kEnd);
    for (std::size_t i = kRows; i-- > 0;) {
      index.word[i] = pattern(i).first();
      std::uint16_t& first = index.first[pattern(i).first() % kBuckets];
      index.next[i] = first;
      first = static_cast<std::uint16_t>(i);
    }
    return index;
  }
  static_assert(kRows < kEnd);
  static constexpr bool kAllArePatterns = all_are_patterns();
  static_assert(kAllArePatterns);
  static constexpr Index kIndex = index_rows();
};

}  // namespace fuseboard::classify_internal
