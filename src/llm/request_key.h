// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an answer is cached under: SHA-256 over the canonical request and the target that produced it [CCH-1].
//
//   const auto request = canonical_request(body);
//   if (!request) bypass the cache;
//   for each target of the plan: store.lookup(cache_key(*request, {.dialect = "openai", .provider = "local", ...}));
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "fuseboard/cache/cache_key.h"
#include "json/scan.h"

namespace fuseboard::llm {

// A request as far as the answer depends on it: every member of it but `model`, which the target stands for, and
// `stream`, which is kept apart. Messages, tools, sampling options and members that nobody here knows are all in it, so
// that whatever might change the answer changes the key; the price is a miss where a member changes nothing, `user`
// say. The order of the elements of `tools` and `functions` does not matter, nor that of an object's members anywhere.
struct CanonicalRequest {
  std::string members;  // RFC 8785, see json/canonical.h
  bool stream = false;  // absent is false
};

// Who answers. An empty provider and an alias for the model name the call before a target is chosen, for sharing one
// call in flight.
struct CacheTarget {
  std::string_view endpoint;  // "/v1/chat/completions": one body may mean two things at two endpoints
  std::string_view provider;
  std::string_view model;
};

// Bodies above this are not worth their canonical form.
inline constexpr std::size_t kMaxCacheableBody = std::size_t{8} << 20U;

// An error for a body that is no JSON object, is above kMaxCacheableBody or has no canonical form: such a request
// bypasses the cache. About 10 µs for 2 KB. Thread-safe, like cache_key.
std::expected<CanonicalRequest, json::Error> canonical_request(std::string_view body);

// SHA-256 of the canonical text of {"endpoint","model","provider","request","stream"}.
CacheKey cache_key(const CanonicalRequest& request, const CacheTarget& target);

}  // namespace fuseboard::llm
