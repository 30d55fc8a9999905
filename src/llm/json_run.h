// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Runs of plain bytes inside JSON strings, 16 bytes at a time: most of any JSON text here is prose in strings.
// Included by sources of this module alone.
#pragma once

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
  // The compiler's own vectors: it makes the best of them on every machine.
  using Bytes = unsigned char __attribute__((ext_vector_type(16)));
  using Bits = bool __attribute__((ext_vector_type(16)));
  for (Bytes bytes; end - at >= std::ptrdiff_t{sizeof bytes}; at += sizeof bytes) {
    std::memcpy(&bytes, at, sizeof bytes);
    const auto ends = (bytes == '"') | (bytes == '\\') | (bytes < 0x20);  // each byte all ones or zero
    const auto bits = std::bit_cast<std::uint16_t>(__builtin_convertvector(ends, Bits));
    if (bits == 0) continue;
    return at + (std::endian::native == std::endian::little ? std::countr_zero(bits) : std::countl_zero(bits));
  }
  while (at != end && !ends_plain_run(*at)) ++at;
  return at;
}

// Where a string of a valid JSON text ends: behind the quote that closes the one at `begin`. A quote is escaped if an
// odd number of backslashes stands before it.
inline const char* string_end(const char* begin, const char* text_end) noexcept {
  for (const char* at = begin + 1;; ++at) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(text_end - at)));
    const char* backslash = at;
    while (backslash[-1] == '\\') --backslash;
    if ((at - backslash) % 2 == 0) return at + 1;
  }
}

}  // namespace fuseboard::llm
