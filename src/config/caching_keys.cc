// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/caching_keys.h"

#include <array>
#include <utility>

#include "config/setters.h"

namespace fuseboard::config {
namespace {

using CacheLayer = Layer<CacheConfig>;

void read_max_bytes(const Cursor& cursor, CacheLayer& layer) {
  if (const auto bytes = read_size(cursor))
    layer.set("max_bytes", cursor, [bytes](CacheConfig& cache) { cache.store.max_bytes = *bytes; });
}

void read_backend(const Cursor& cursor, CacheLayer&) {
  // One backend for now, so there is nothing to remember.
  constexpr std::array<std::pair<std::string_view, int>, 1> kBackends = {{{"memory", 0}}};
  read_choice<int>(cursor, kBackends);
}

void read_nondeterministic(const Cursor& cursor, CacheLayer& layer) {
  if (const auto wanted = read_bool(cursor))
    layer.set("nondeterministic", cursor, [wanted](CacheConfig& cache) { cache.nondeterministic = *wanted; });
}

constexpr std::array<Field<CacheConfig>, 4> kCacheFields = {{
    {"ttl", [](const Cursor& cursor, CacheLayer& layer) { set_duration(cursor, layer, "ttl", &CacheConfig::ttl); }},
    {"max_bytes", read_max_bytes},
    {"backend", read_backend},
    {"nondeterministic", read_nondeterministic},
}};

}  // namespace

Problems CacheConfig::validate() const {
  Validator validator;
  validator.in_range("ttl", ttl, std::chrono::seconds(1), std::chrono::hours(720));
  Problems problems = store.validate();
  for (Problem& problem : std::move(validator).take()) problems.push_back(std::move(problem));
  return problems;
}

CacheConfig read_cache(const Cursor& cursor) {
  const CacheLayer layer = read_layer(cursor, kCacheFields);
  const std::array layers = {&layer};
  CacheConfig cache = apply<CacheConfig>(layers, {});
  report_problems<CacheConfig>(cache, layers);
  return cache;
}

}  // namespace fuseboard::config
