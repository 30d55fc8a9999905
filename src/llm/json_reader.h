// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reading values with simdjson out of texts that json_scan.h has found valid. Included by sources of this module alone.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::llm {

namespace ondemand = simdjson::ondemand;

// Opens a valid JSON text. It is copied into a buffer of this thread, with the padding that simdjson asks for, and the
// document is good until the next call on the same thread. What a text above 256 KiB took is given back by the next
// smaller one.
simdjson::simdjson_result<ondemand::document> open_json(std::string_view text);

// Calls visit(name, value) for each member. A name compares with == as it is written, escapes not resolved: no provider
// writes its field names with escapes. Values that visit leaves alone are skipped.
template <typename Visit>
void for_each_member(simdjson::simdjson_result<ondemand::object> object, Visit visit) {
  if (object.error()) return;
  for (auto member : object.value_unsafe()) {
    ondemand::raw_json_string name;
    ondemand::value value;
    if (member.key().get(name) || member.value().get(value)) return;
    visit(name, value);
  }
}

// Calls visit(element) for each element of an array.
template <typename Visit>
void for_each_element(simdjson::simdjson_result<ondemand::array> array, Visit visit) {
  if (array.error()) return;
  for (auto element : array.value_unsafe()) {
    ondemand::value value;
    if (element.get(value)) return;
    visit(value);
  }
}

// The text of a string value, cut at a UTF-8 boundary to at most `most` bytes; empty for any other value and for a
// string that has no UTF-8 form (half a surrogate pair).
std::string text_of(ondemand::value value, std::size_t most);

// A string value as it is written, quotes included; empty for any other value. Valid as long as the document is open.
std::string_view literal_of(ondemand::value value);

// The text of a string value, valid as long as the document is open; empty as for text_of().
std::string_view view_of(ondemand::value value);

bool is_null(ondemand::value value);

// Whether there is something in a value: a string or array that is not empty, an object.
bool has_content(ondemand::value value);

}  // namespace fuseboard::llm
