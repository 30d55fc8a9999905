// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/policies.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/units.h"
#include "fuseboard/core/category.h"
#include "fuseboard/retry/backoff.h"

namespace fuseboard::config {
namespace {

using BreakerLayer = Layer<BreakerOptions>;
using TimeoutLayer = Layer<AttemptTimeouts>;
using RetryLayer = Layer<PlanOptions>;

// `member` names the place inside the options: a pointer to a member, or a function that returns a reference.
template <typename Options, typename Member>
void set_duration(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member) {
  if (const auto value = read_duration(cursor, kDurationForm)) {
    layer.set(field, cursor, [member, value](Options& options) { std::invoke(member, options) = *value; });
  }
}

template <typename Options, typename Member>
void set_count(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member) {
  const auto read = read_integer(cursor);
  if (!read) return;
  // No range reaches the largest count, so validate() refuses it and says which counts are allowed.
  constexpr std::uint32_t kOutOfRange = std::numeric_limits<std::uint32_t>::max();
  const bool fits = *read >= 0 && *read < std::int64_t{kOutOfRange};
  const std::uint32_t value = fits ? static_cast<std::uint32_t>(*read) : kOutOfRange;
  layer.set(field, cursor, [member, value](Options& options) { std::invoke(member, options) = value; });
}

void read_preset(const Cursor& cursor, BreakerLayer& layer) {
  using Preset = BreakerOptions (*)();
  constexpr std::array<std::pair<std::string_view, Preset>, 3> kPresets = {
      {{"provider", provider_preset}, {"tool", tool_preset}, {"strict_provider", strict_provider_preset}}};
  if (const auto preset = read_choice<Preset>(cursor, kPresets)) {
    // A preset is a whole set of values: what farther places said is gone.
    layer.set("preset", cursor, [preset](BreakerOptions& options) { options = (*preset)(); });
  }
}

void read_fixed_open_time(const Cursor& cursor, BreakerLayer& layer) {
  const auto time = read_duration(cursor, "a duration such as 30s, or a map {initial, factor, max, jitter}");
  if (!time) return;
  layer.set("open_time.initial", cursor,
            [time](BreakerOptions& options) { options.open_time = OpenTime::fixed(*time); });
  layer.places.push_back({"open_time.max", cursor});
}

void read_growing_open_time(const Cursor& cursor, BreakerLayer& layer) {
  constexpr std::array<std::string_view, 4> kKeys = {"initial", "factor", "max", "jitter"};
  const MapReader map(cursor, kKeys);
  OpenTime time;
  std::optional<Duration> max;
  const auto initial = map.require("initial", kDurationForm);
  if (initial) {
    time.initial = read_duration(*initial, kDurationForm).value_or(time.initial);
    layer.places.push_back({"open_time.initial", *initial});
    // Where `max` is left out and `initial` is too long for both, `initial` is to blame.
    layer.places.push_back({"open_time.max", *initial});
  }
  if (const auto factor = map.find("factor")) {
    time.factor = read_number(*factor).value_or(time.factor);
    layer.places.push_back({"open_time.factor", *factor});
  }
  if (const auto limit = map.find("max")) {
    max = read_duration(*limit, kDurationForm);
    layer.places.push_back({"open_time.max", *limit});
  }
  if (const auto jitter = map.find("jitter")) {
    time.jitter = read_number(*jitter).value_or(time.jitter);
    layer.places.push_back({"open_time.jitter", *jitter});
  }
  time.max = max.value_or(std::max(time.max, time.initial));
  layer.edits.emplace_back([time](BreakerOptions& options) { options.open_time = time; });
}

void read_open_time(const Cursor& cursor, BreakerLayer& layer) {
  if (cursor.node->kind == Node::Kind::map) {
    read_growing_open_time(cursor, layer);
  } else {
    read_fixed_open_time(cursor, layer);
  }
}

void read_trips_on(const Cursor& cursor, BreakerLayer& layer) {
  std::array<std::pair<std::string_view, Category>, kCategoryCount> choices;
  std::ranges::transform(all_categories(), choices.begin(),
                         [](const CategoryProperties& one) { return std::pair{one.name, one.category}; });
  if (!expect_kind(cursor, Node::Kind::sequence, "a list of failure categories")) return;
  if (cursor.node->items.empty()) {
    // A breaker that nothing trips is a mistake that would only show in an outage.
    cursor.say("an empty list is not allowed; allowed: at least one failure category");
    return;
  }
  CategorySet categories;
  for (std::size_t i = 0; i < cursor.node->items.size(); ++i) {
    if (const auto category = read_choice<Category>(cursor.item(i), choices)) categories.insert(*category);
  }
  layer.set("trips_on", cursor, [categories](BreakerOptions& options) { options.trips_on = categories; });
}

// "preset" comes first: it must not undo its neighbours. A probe's lease has no key: it follows from the attempt's
// timeouts.
constexpr std::array<Field<BreakerOptions>, 7> kBreakerFields = {{
    {"preset", read_preset},
    {"failure_threshold",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "failure_threshold", &BreakerOptions::failure_threshold);
     }},
    {"open", read_open_time},
    {"half_open_max_probes",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "half_open_max_probes", &BreakerOptions::half_open_max_probes);
     }},
    {"half_open_successes",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "half_open_successes", &BreakerOptions::half_open_successes);
     }},
    {"streak_reset_after",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_duration(cursor, layer, "streak_reset_after", &BreakerOptions::streak_reset_after);
     }},
    {"trips_on", read_trips_on},
}};

constexpr std::array<Field<AttemptTimeouts>, 5> kTimeoutFields = {{
    {"connect", [](const Cursor& cursor,
                   TimeoutLayer& layer) { set_duration(cursor, layer, "connect", &AttemptTimeouts::connect); }},
    {"headers", [](const Cursor& cursor,
                   TimeoutLayer& layer) { set_duration(cursor, layer, "headers", &AttemptTimeouts::headers); }},
    {"first_content",
     [](const Cursor& cursor, TimeoutLayer& layer) {
       set_duration(cursor, layer, "first_content", &AttemptTimeouts::first_content);
     }},
    {"idle",
     [](const Cursor& cursor, TimeoutLayer& layer) { set_duration(cursor, layer, "idle", &AttemptTimeouts::idle); }},
    {"total",
     [](const Cursor& cursor, TimeoutLayer& layer) { set_duration(cursor, layer, "total", &AttemptTimeouts::total); }},
}};

void read_jitter(const Cursor& cursor, RetryLayer& layer) {
  constexpr std::array kJitters = {Jitter::none, Jitter::proportional, Jitter::full, Jitter::decorrelated};
  std::array<std::pair<std::string_view, Jitter>, kJitters.size()> choices;
  std::ranges::transform(kJitters, choices.begin(), [](Jitter one) { return std::pair{name(one), one}; });
  if (const auto jitter = read_choice<Jitter>(cursor, choices)) {
    layer.set("retry.jitter", cursor, [jitter](PlanOptions& options) { options.retry.jitter = *jitter; });
  }
}

void read_factor(const Cursor& cursor, RetryLayer& layer) {
  if (const auto factor = read_number(cursor)) {
    layer.set("retry.factor", cursor, [factor](PlanOptions& options) { options.retry.factor = *factor; });
  }
}

void read_overall_deadline(const Cursor& cursor, RetryLayer& layer) {
  constexpr std::string_view kForm = "a duration such as 250ms, 1.5s, 2m or 1h, or none";
  const auto text = read_text(cursor, kForm);
  if (!text) return;
  const auto deadline = text->value == "none" ? std::optional(kForever) : parse_duration(text->value);
  if (!deadline) {
    cursor.refuse(kForm);
    return;
  }
  layer.set("overall_deadline", cursor, [deadline](PlanOptions& options) { options.overall_deadline = *deadline; });
}

constexpr std::array<Field<PlanOptions>, 7> kRetryFields = {{
    {"max_attempts",
     [](const Cursor& cursor, RetryLayer& layer) {
       set_count(cursor, layer, "retry.max_attempts",
                 [](PlanOptions& options) -> auto& { return options.retry.max_attempts; });
     }},
    {"base",
     [](const Cursor& cursor, RetryLayer& layer) {
       set_duration(cursor, layer, "retry.base", [](PlanOptions& options) -> auto& { return options.retry.base; });
     }},
    {"factor", read_factor},
    {"max",
     [](const Cursor& cursor, RetryLayer& layer) {
       set_duration(cursor, layer, "retry.max", [](PlanOptions& options) -> auto& { return options.retry.max; });
     }},
    {"jitter", read_jitter},
    {"overall_deadline", read_overall_deadline},
    {"max_total_attempts",
     [](const Cursor& cursor, RetryLayer& layer) {
       set_count(cursor, layer, "max_total_attempts", &PlanOptions::max_total_attempts);
     }},
}};

}  // namespace

Layer<BreakerOptions> read_breaker(const Cursor& cursor) { return read_layer(cursor, kBreakerFields); }
Layer<AttemptTimeouts> read_timeouts(const Cursor& cursor) { return read_layer(cursor, kTimeoutFields); }
Layer<PlanOptions> read_retry(const Cursor& cursor) { return read_layer(cursor, kRetryFields); }

}  // namespace fuseboard::config
