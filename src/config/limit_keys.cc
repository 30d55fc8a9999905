// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/limit_keys.h"

#include <array>
#include <optional>
#include <tuple>
#include <utility>

#include "config/setters.h"

namespace fuseboard::config {
namespace {

using LimitLayer = Layer<LimitKeys>;

constexpr double kSecondsPerMinute = 60.0;

constexpr std::array<Field<LimitKeys>, 2> kQueueFields = {{
    {"max",
     [](const Cursor& cursor, LimitLayer& layer) {
       set_count(cursor, layer, "queue.capacity", [](LimitKeys& keys) -> auto& { return keys.state.queue.capacity; });
     }},
    {"max_wait",
     [](const Cursor& cursor, LimitLayer& layer) {
       set_duration(cursor, layer, "queue.max_wait",
                    [](LimitKeys& keys) -> auto& { return keys.state.queue.max_wait; });
     }},
}};

void read_adaptive(const Cursor& cursor, LimitLayer& layer) {
  if (const auto adaptive = read_bool(cursor))
    layer.set("adaptive", cursor, [adaptive](LimitKeys& keys) { keys.adaptive = *adaptive; });
}

constexpr std::array<Field<LimitKeys>, 5> kLimitFields = {{
    {"rpm",
     [](const Cursor& cursor, LimitLayer& layer) {
       set_number(cursor, layer, "limits.requests_per_minute",
                  [](LimitKeys& keys) -> auto& { return keys.state.limits.requests_per_minute; });
     }},
    {"tpm",
     [](const Cursor& cursor, LimitLayer& layer) {
       set_number(cursor, layer, "limits.tokens_per_minute",
                  [](LimitKeys& keys) -> auto& { return keys.state.limits.tokens_per_minute; });
     }},
    {"concurrency",
     [](const Cursor& cursor, LimitLayer& layer) {
       set_count(cursor, layer, "limits.concurrency",
                 [](LimitKeys& keys) -> auto& { return keys.state.limits.concurrency; });
     }},
    {"adaptive", read_adaptive},
    {"queue", [](const Cursor& cursor, LimitLayer& layer) { add_layer(cursor, kQueueFields, layer); }},
}};

}  // namespace

Problems LimitKeys::validate() const {
  Validator validator;
  // Without a bound there is nothing to begin with.
  validator.require(!adaptive || state.limits.requests_per_minute, "adaptive", "true",
                    "true beside rpm, the rate that is never exceeded");
  Problems problems = state.validate();
  for (Problem& problem : std::move(validator).take()) problems.push_back(std::move(problem));
  return problems;
}

TargetStateOptions LimitKeys::resolved() const {
  TargetStateOptions options = state;
  if (adaptive && options.limits.requests_per_minute) {
    options.adaptive_rate.emplace().rate.rate = *options.limits.requests_per_minute / kSecondsPerMinute;
    options.limits.requests_per_minute.reset();
  }
  return options;
}

Layer<LimitKeys> read_limits(const Cursor& cursor) { return read_layer(cursor, kLimitFields); }

bool same_limits(const TargetStateOptions& a, const TargetStateOptions& b) {
  const auto all = [](const TargetStateOptions& options) {
    const auto rate = options.adaptive_rate ? std::optional(options.adaptive_rate->rate.rate) : std::nullopt;
    return std::tuple(options.limits.requests_per_minute, options.limits.tokens_per_minute, options.limits.concurrency,
                      rate, options.queue.capacity, options.queue.max_wait);
  };
  return all(a) == all(b);
}

}  // namespace fuseboard::config
