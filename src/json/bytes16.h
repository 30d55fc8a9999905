// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bytes compared sixteen at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace fuseboard::json {

// The compiler's own vectors: it makes the best of them on every machine.
using Bytes16 = unsigned char __attribute__((ext_vector_type(16)));
using Comparison16 = decltype(Bytes16{} == Bytes16{});  // each byte all ones or zero

inline Bytes16 bytes_at(const char* at) noexcept {
  Bytes16 bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// One bit for each byte of a comparison, the first byte's the lowest.
inline std::uint16_t bits_of(Comparison16 comparison) noexcept {
  using Bits = bool __attribute__((ext_vector_type(16)));
  const auto bits = std::bit_cast<std::uint16_t>(__builtin_convertvector(comparison, Bits));
  return std::endian::native == std::endian::little ? bits : __builtin_bitreverse16(bits);
}

}  // namespace fuseboard::json
