// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The usual kinds of value, read into a layer of options.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string_view>

#include "config/layer.h"
#include "config/reader.h"
#include "config/units.h"

namespace fuseboard::config {

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

template <typename Options, typename Member>
void set_number(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member) {
  if (const auto value = read_number(cursor)) {
    layer.set(field, cursor, [member, value](Options& options) { std::invoke(member, options) = *value; });
  }
}

// A rule that is there only where it is set: `off` takes it away again, for a model what its provider has set.
// `read(cursor, form)` reads any other value.
template <typename Options, typename Member, typename Read>
void set_or_off(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member,
                std::string_view form, Read read) {
  const auto text = read_text(cursor, form);
  if (!text) return;
  if (text->value == "off") {
    layer.set(field, cursor, [member](Options& options) { std::invoke(member, options).reset(); });
  } else if (const auto value = read(cursor, form)) {
    layer.set(field, cursor, [member, value](Options& options) { std::invoke(member, options) = *value; });
  }
}

template <typename Options, typename Member>
void set_number_or_off(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member) {
  set_or_off(cursor, layer, field, member, "off, or a number", read_number);
}

template <typename Options, typename Member>
void set_duration_or_off(const Cursor& cursor, Layer<Options>& layer, std::string_view field, Member member) {
  set_or_off(cursor, layer, field, member, "off, or a duration such as 250ms, 1.5s, 2m or 1h", read_duration);
}

}  // namespace fuseboard::config
