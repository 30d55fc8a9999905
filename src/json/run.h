// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Runs of plain bytes inside JSON strings, 16 or 64 bytes at a time: most of any JSON text here is prose in strings.
// Included by sources of this module alone.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "json/bytes16.h"

namespace fuseboard::json {

// Bytes >= 0x80 are plain: what they must be is another question.
constexpr bool ends_plain_run(char c) noexcept { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

// Which of the 16 bytes at `at` end a plain run.
inline std::uint16_t run_ends(const char* at) noexcept {
  const Bytes16 bytes = bytes_at(at);
  return bits_of((bytes == '"') | (bytes == '\\') | (bytes < 0x20));
}

// The same of 64 bytes: for strings with many escapes, in which looking again behind each of them would take the time.
inline std::uint64_t run_ends_of_64(const char* at) noexcept {
  const auto quarter = [at](unsigned i) { return std::uint64_t{run_ends(at + 16 * i)} << (16 * i); };
  return quarter(0) | quarter(1) | quarter(2) | quarter(3);
}

// Where the run of bytes that stand for themselves in a JSON string ends: at the first quote, backslash or control
// character in [at, end), else at `end`.
inline const char* plain_run_end(const char* at, const char* end) noexcept {
  for (; end - at >= std::ptrdiff_t{sizeof(Bytes16)}; at += sizeof(Bytes16)) {
    if (const std::uint16_t ends = run_ends(at); ends != 0) return at + std::countr_zero(ends);
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

}  // namespace fuseboard::json
