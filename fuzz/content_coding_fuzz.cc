// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A body in content codings: no crash, never more than the bound, and the pieces in which it comes change nothing. The
// first byte says which codings.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/check.h"
#include "net/content_coding.h"

namespace {

using fuseboard::check_invariant;
using fuseboard::net::ContentCoding;
using fuseboard::net::ContentDecoder;

constexpr std::size_t kBound = 64 * 1024;

// What it stands for; nullopt: it is not whole, or not what it should be.
std::optional<std::string> decoded(const std::vector<ContentCoding>& codings, std::string_view body, std::size_t size) {
  ContentDecoder decoder(codings, kBound);
  std::string out;
  while (!body.empty()) {
    const std::string_view piece = body.substr(0, size);
    body.remove_prefix(piece.size());
    const bool good = decoder.decode(piece, out).has_value();
    check_invariant(out.size() <= kBound, "no more than the bound");
    if (!good) {
      check_invariant(!decoder.decode(piece, out) && !decoder.finish(), "an error is for good");
      return std::nullopt;
    }
  }
  if (!decoder.finish()) return std::nullopt;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  std::vector<ContentCoding> codings = {static_cast<ContentCoding>(data[0] & 3)};
  if ((data[0] & 4) != 0) codings.push_back(static_cast<ContentCoding>((data[0] >> 3) & 3));
  const auto whole = decoded(codings, body, body.size());
  for (const std::size_t piece : {1U, 7U}) {
    check_invariant(decoded(codings, body, piece) == whole, "the pieces do not change what it stands for");
  }
  return 0;
}
