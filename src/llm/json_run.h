// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Runs of plain bytes inside JSON strings, 16 bytes at a time: most of any JSON text here is prose in strings.
// Included by sources of this module alone.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fuseboard::llm {

// Bytes >= 0x80 are plain: what they must be is another question.
constexpr bool ends_plain_run(char c) noexcept { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

// Where the run of bytes that stand for themselves in a JSON string ends: at the first quote, backslash or control
// character in [at, end), else at `end`.
inline const char* plain_run_end(const char* at, const char* end) noexcept {
  using Bytes [[gnu::vector_size(16)]] = unsigned char;  // the compilers' own, for every machine
  const auto first_set = [](std::uint64_t eight) noexcept {
    const bool little = std::endian::native == std::endian::little;
    return (little ? std::countr_zero(eight) : std::countl_zero(eight)) / 8;
  };
  for (Bytes bytes; end - at >= std::ptrdiff_t{sizeof bytes}; at += sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    const auto ends = (bytes == '"') | (bytes == '\\') | (bytes < 0x20);  // each byte all ones or zero
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(ends);
    if (halves[0] != 0) return at + first_set(halves[0]);
    if (halves[1] != 0) return at + sizeof halves[0] + first_set(halves[1]);
  }
  while (at != end && !ends_plain_run(*at)) ++at;
  return at;
}

}  // namespace fuseboard::llm
