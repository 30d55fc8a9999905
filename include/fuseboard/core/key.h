// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a policy counts by: a tool's name, or a pair of provider and model.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "fuseboard/core/bounded_text.h"

namespace fuseboard {

namespace key_internal {

template <typename Word>
Word load(const char* data) noexcept {
  Word word = 0;
  std::memcpy(&word, data, sizeof word);
  return word;
}

// At most eight bytes as one word, by loads of fixed size that may overlap: a memcpy of variable size is a call.
inline std::uint64_t load_tail(const char* data, std::size_t size) noexcept {
  if (size >= 4) {
    return load<std::uint32_t>(data) | (std::uint64_t{load<std::uint32_t>(data + size - 4)} << 32);
  }
  if (size == 0) return 0;  // the pointer may be null
  const auto byte = [data](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(data[i])}; };
  return byte(0) | (byte(size / 2) << 8) | (byte(size - 1) << 16);
}

// As memcmp() == 0, inline: keys are short, and the call costs more than the comparison.
inline bool same_bytes(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  const char* left = a.data();
  const char* right = b.data();
  std::size_t size = a.size();
  if (size <= 8) return load_tail(left, size) == load_tail(right, size);
  for (; size > 8; left += 8, right += 8, size -= 8) {
    if (load<std::uint64_t>(left) != load<std::uint64_t>(right)) return false;
  }
  // The last eight bytes; some have been compared already.
  return load<std::uint64_t>(left + size - 8) == load<std::uint64_t>(right + size - 8);
}

// Multiply-fold of 8-byte words (the mixing step of wyhash, public domain, Wang Yi).
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// The mask as well as the beginning: a word that equals the mask folds every state to zero, so whoever knows it can
// choose names that collide whatever they begin from.
struct HashSeed {
  std::uint64_t begin;
  std::uint64_t mask;
};
inline constexpr HashSeed kFixedSeed = {.begin = 0x2ECA7794E435A2CC, .mask = 0xE7037ED1A0B428DB};
// Drawn when the program is loaded, before any constructor of its own runs; a child of fork() has its parent's. Names
// come from callers, who must not be able to choose ones that collide.
extern HashSeed process_seed;

inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t state, std::uint64_t mask) noexcept {
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  while (left > 8) {
    state = fold(load<std::uint64_t>(data) ^ mask, state);
    data += 8;
    left -= 8;
  }
  return fold(load_tail(data, left) ^ mask, state ^ bytes.size());
}

}  // namespace key_internal

// A borrowed key. A single key never equals a pair, and pairs are compared part by part, so no choice of separator can
// make two different keys meet [BRK-17].
class KeyView {
 public:
  constexpr KeyView(std::string_view name) noexcept : first_(name) {}  // NOLINT(google-explicit-constructor)
  constexpr KeyView(const char* name) noexcept : first_(name) {}       // NOLINT(google-explicit-constructor)
  KeyView(const std::string& name) noexcept : first_(name) {}          // NOLINT(google-explicit-constructor)
  constexpr KeyView(std::string_view provider, std::string_view model) noexcept
      : first_(provider), second_(model), pair_(true) {}

  constexpr std::string_view first() const noexcept { return first_; }
  constexpr std::string_view second() const noexcept { return second_; }
  constexpr bool is_pair() const noexcept { return pair_; }

  friend bool operator==(const KeyView& a, const KeyView& b) noexcept {
    return a.pair_ == b.pair_ && key_internal::same_bytes(a.first_, b.first_) &&
           (!a.pair_ || key_internal::same_bytes(a.second_, b.second_));
  }

 private:
  std::string_view first_;
  std::string_view second_;
  bool pair_ = false;
};

// 64-bit hash, for tables: stable within a process only. About 3 ns for a short key. By reference: five words passed by
// value go through memory twice, which costs as much as the hash.
inline std::uint64_t hash(const KeyView& key) noexcept;
// The same in every process, to draw random numbers by key. Not for tables: names can be chosen that collide.
inline std::uint64_t fixed_hash(const KeyView& key) noexcept;

// "name", or "provider/model" where a '/' or '%' inside the provider is percent-encoded: reversible, for people and
// URLs.
std::string to_text(KeyView key);
// The same for events and rejections, without allocating; a long one is cut.
KeyText to_key_text(KeyView key) noexcept;

// The owning form.
class Key {
 public:
  explicit Key(KeyView key) : first_(key.first()), second_(key.second()), pair_(key.is_pair()) {}
  KeyView view() const noexcept {
    return pair_ ? KeyView(std::string_view(first_), std::string_view(second_)) : KeyView(std::string_view(first_));
  }

 private:
  std::string first_;
  std::string second_;
  bool pair_;
};

namespace key_internal {

inline std::uint64_t hash_key(const KeyView& key, const HashSeed& seed) noexcept {
  const std::uint64_t first = hash_bytes(key.first(), seed.begin, seed.mask);
  if (!key.is_pair()) return first;
  constexpr std::uint64_t kSecond = 0xA0761D6478BD642F;
  return hash_bytes(key.second(), (first | 1U) ^ kSecond, seed.mask);
}

}  // namespace key_internal

inline std::uint64_t hash(const KeyView& key) noexcept {
  return key_internal::hash_key(key, key_internal::process_seed);
}
inline std::uint64_t fixed_hash(const KeyView& key) noexcept {
  return key_internal::hash_key(key, key_internal::kFixedSeed);
}

}  // namespace fuseboard
