// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which calls may be answered from the cache, and which answers are kept: pure decisions [CCH-5].
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fuseboard {

// What a request's Cache-Control says of a shared cache (RFC 9111, 5.2.1.4 and 5.2.1.5).
struct CacheControl {
  bool no_cache = false;
  bool no_store = false;

  // Adds what this line says; a request may have several. Directives are found whatever their case and neighbours, with
  // an argument or without; quoted arguments are skipped.
  void read(std::string_view line) noexcept;
  friend bool operator==(const CacheControl&, const CacheControl&) noexcept = default;
};

// What decides about a call before it is made.
struct CacheQuestion {
  bool enabled = true;                  // the model has a cache
  bool nondeterministic = false;        // the model's own opt-in: answers may be reused although they could differ
  std::optional<double> temperature{};  // as the request says it; without, providers sample
  CacheControl control{};
};

enum class CacheBypass : std::uint8_t {
  none,
  disabled,
  sampled,   // the temperature is above 0 or absent, so every answer is meant to be a new one
  no_cache,  // the caller wants a fresh answer
  no_store,  // the caller wants no trace
};
std::string_view name(CacheBypass bypass) noexcept;

struct CacheDecision {
  bool lookup = false;                      // a stored answer will do
  bool share = false;                       // so will that of an identical call in flight [CCH-4]
  bool store = false;                       // the answer may be kept
  CacheBypass why_not = CacheBypass::none;  // why there is no lookup

  friend bool operator==(const CacheDecision&, const CacheDecision&) noexcept = default;
};

// A `no-cache` call is fresh, and its answer takes the stored one's place; `no-store` does neither.
CacheDecision decide_cache(const CacheQuestion& question) noexcept;

// How a call ended, as far as keeping its answer goes.
struct CacheableAnswer {
  bool succeeded = false;  // the verdict on the attempt, not the status alone
  bool complete = false;   // to its end: a stream's terminal event was seen, a body has its full length
  bool one_answer = true;  // of one target, in one piece: false where another one continued it
};

bool cacheable(const CacheDecision& decision, const CacheableAnswer& answer) noexcept;

}  // namespace fuseboard
