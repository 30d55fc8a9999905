// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/policy_keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/setters.h"
#include "config/units.h"
#include "fuseboard/core/category.h"

namespace fuseboard::config {
namespace {

using BreakerLayer = Layer<BreakerOptions>;
using TimeoutLayer = Layer<AttemptTimeouts>;

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
  if (!expect_kind(cursor, Node::Kind::sequence, "a list of failure categories")) return;
  if (cursor.node->items.empty()) {
    // A breaker that nothing trips is a mistake that would only show in an outage.
    cursor.say("an empty list is not allowed; allowed: at least one failure category");
    return;
  }
  CategorySet categories;
  for (std::size_t i = 0; i < cursor.node->items.size(); ++i) {
    if (const auto category = read_category(cursor.item(i))) categories.insert(*category);
  }
  layer.set("trips_on", cursor, [categories](BreakerOptions& options) { options.trips_on = categories; });
}

// A whole number is a count of calls, anything else has to be a time.
void read_window(const Cursor& cursor, BreakerLayer& layer) {
  constexpr std::string_view kForm = "a number of calls, or a duration such as 60s";
  const auto text = read_text(cursor, kForm);
  if (!text) return;
  CallWindow window;
  if (text->value.find_first_not_of("0123456789") == std::string::npos && !text->value.empty()) {
    const auto calls = read_integer(cursor);
    // No window is as large, so validate() refuses it and says which are allowed.
    const bool fits = calls && *calls > 0 && *calls < std::int64_t{1} << 31;
    window = CallWindow::last_calls(fits ? static_cast<std::uint32_t>(*calls) : ~std::uint32_t{0});
  } else if (const auto time = parse_duration(text->value)) {
    window = CallWindow::last(*time);
  } else {
    cursor.refuse(kForm);
    return;
  }
  layer.set("window.calls", cursor, [window](BreakerOptions& options) { options.window = window; });
  layer.places.push_back({"window.time", cursor});
}

void read_failures_within(const Cursor& cursor, BreakerLayer& layer) {
  constexpr std::string_view kForm = "off, or a map {failures, time}";
  if (cursor.node->kind != Node::Kind::map) {
    const auto text = read_text(cursor, kForm);
    if (!text) return;
    if (text->value != "off") return cursor.refuse(kForm);
    layer.set("failures_within", cursor, [](BreakerOptions& options) { options.failures_within.reset(); });
    return;
  }
  constexpr std::array<std::string_view, 2> kKeys = {"failures", "time"};
  const MapReader map(cursor, kKeys);
  const auto failures = map.require("failures", "a number of failures");
  const auto time = map.require("time", kDurationForm);
  if (!failures || !time) return;
  layer.edits.emplace_back([](BreakerOptions& options) { options.failures_within.emplace(); });
  set_count(*failures, layer, "failures_within.failures",
            [](BreakerOptions& options) -> auto& { return options.failures_within->failures; });
  set_duration(*time, layer, "failures_within.time",
               [](BreakerOptions& options) -> auto& { return options.failures_within->time; });
}

// "preset" comes first: it must not undo its neighbours. A probe's lease has no key: it follows from the attempt's
// timeouts.
constexpr std::array<Field<BreakerOptions>, 18> kBreakerFields = {{
    {"preset", read_preset},
    {"failure_threshold",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "failure_threshold", &BreakerOptions::failure_threshold);
     }},
    {"silence_threshold",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "silence_threshold", &BreakerOptions::silence_threshold);
     }},
    {"failures_within", read_failures_within},
    {"failure_run_expires_after",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_duration_or_off(cursor, layer, "failure_run_expires_after", &BreakerOptions::failure_run_expires_after);
     }},
    {"failure_rate",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_number_or_off(cursor, layer, "failure_rate", &BreakerOptions::failure_rate);
     }},
    {"slow_call_rate",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_number_or_off(cursor, layer, "slow_call_rate", &BreakerOptions::slow_call_rate);
     }},
    {"slow_call_duration",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_duration(cursor, layer, "slow_call_duration", &BreakerOptions::slow_call_duration);
     }},
    {"minimum_calls",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "minimum_calls", &BreakerOptions::minimum_calls);
     }},
    {"window", read_window},
    {"stuck_call_age",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_duration_or_off(cursor, layer, "stuck_call_age", &BreakerOptions::stuck_call_age);
     }},
    {"open", read_open_time},
    {"retry_after_max",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_duration(cursor, layer, "retry_after_max", &BreakerOptions::retry_after_max);
     }},
    {"half_open_max_probes",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "half_open_max_probes", &BreakerOptions::half_open_max_probes);
     }},
    {"half_open_successes",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_count(cursor, layer, "half_open_successes", &BreakerOptions::half_open_successes);
     }},
    {"half_open_failure_rate",
     [](const Cursor& cursor, BreakerLayer& layer) {
       set_number_or_off(cursor, layer, "half_open_failure_rate", &BreakerOptions::half_open_failure_rate);
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

}  // namespace

Layer<BreakerOptions> read_breaker(const Cursor& cursor) { return read_layer(cursor, kBreakerFields); }
Layer<AttemptTimeouts> read_timeouts(const Cursor& cursor) { return read_layer(cursor, kTimeoutFields); }

}  // namespace fuseboard::config
