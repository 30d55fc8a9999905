// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a policy counts by: a tool's name, or a pair of provider and model.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fuseboard {

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

  friend constexpr bool operator==(const KeyView&, const KeyView&) noexcept = default;

 private:
  std::string_view first_;
  std::string_view second_;
  bool pair_ = false;
};

// 64-bit hash, stable within a process only. About 3 ns for a short key.
inline std::uint64_t hash(KeyView key) noexcept;

// "name", or "provider/model" where a '/' or '%' inside the provider is percent-encoded: reversible, for people and URLs.
std::string to_text(KeyView key);

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

inline std::uint64_t load_tail(const char* data, std::size_t size) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, data, size);
  return word;
}

// Multiply-fold of 8-byte words (the mixing step of wyhash, public domain, Wang Yi).
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) noexcept {
  constexpr std::uint64_t kOne = 0xA0761D6478BD642F;
  constexpr std::uint64_t kTwo = 0xE7037ED1A0B428DB;
  const char* data = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t state = seed ^ kOne;
  while (left > 8) {
    state = fold(load_tail(data, 8) ^ kTwo, state);
    data += 8;
    left -= 8;
  }
  // An empty view may hold a null pointer, which memcpy must not see.
  const std::uint64_t tail = left == 0 ? 0 : load_tail(data, left);
  return fold(tail ^ kTwo, state ^ bytes.size());
}

}  // namespace key_internal

inline std::uint64_t hash(KeyView key) noexcept {
  const std::uint64_t first = key_internal::hash_bytes(key.first(), 0x8EBC6AF09C88C6E3);
  if (!key.is_pair()) return first;
  return key_internal::hash_bytes(key.second(), first | 1U);
}

}  // namespace fuseboard
