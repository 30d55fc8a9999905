// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/key.h"

#include <unistd.h>

#include <array>

namespace fuseboard {
namespace {

// Hands the text of a pair to `append`, piece by piece, until it returns false.
template <typename Append>
void spell_pair(KeyView key, Append append) {
  for (const char c : key.first()) {
    const std::string_view piece = c == '/' ? "%2F" : c == '%' ? "%25" : std::string_view(&c, 1);
    if (!append(piece)) return;
  }
  if (append("/")) append(key.second());
}

// Explored runs are the same ones each time.
#if !defined(FUSEBOARD_INTERLEAVE)
[[gnu::constructor(101)]] void draw_process_seed() noexcept {
  key_internal::HashSeed drawn = key_internal::kFixedSeed;
  // Without entropy where things lie is what nobody outside knows.
  if (getentropy(&drawn, sizeof drawn) != 0) drawn.mask ^= reinterpret_cast<std::uintptr_t>(&drawn) << 17U;
  key_internal::process_seed = drawn;
}
#endif

}  // namespace

constinit key_internal::HashSeed key_internal::process_seed = key_internal::kFixedSeed;

std::string to_text(KeyView key) {
  if (!key.is_pair()) return std::string(key.first());
  std::string text;
  text.reserve(key.first().size() + key.second().size() + 1);
  spell_pair(key, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

KeyText to_key_text(KeyView key) noexcept {
  if (!key.is_pair()) return KeyText(key.first());
  // One byte more than fits shows KeyText that it has to cut.
  std::array<char, 96> text;
  std::size_t size = 0;
  spell_pair(key, [&](std::string_view piece) {
    const std::size_t taken = piece.copy(text.data() + size, text.size() - size);
    size += taken;
    return size < text.size();
  });
  return KeyText(std::string_view(text.data(), size));
}

}  // namespace fuseboard
