// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

namespace fuseboard::llm {
namespace {

constexpr std::size_t kLeastCapacity = 4096;
constexpr std::size_t kKeptCapacity = 256 * 1024;

struct Scratch {
  std::unique_ptr<ondemand::parser> parser;
  std::unique_ptr<char[]> text;
  std::size_t capacity = 0;
};

// Room in powers of two, so that a conversation which grows from request to request does not allocate for each.
void make_room(Scratch& scratch, std::size_t size) {
  const bool oversized = scratch.capacity > kKeptCapacity && size <= kKeptCapacity;
  if (scratch.capacity >= size && scratch.parser && !oversized) return;
  scratch.capacity = std::bit_ceil(std::max(size, kLeastCapacity));
  scratch.text = std::make_unique_for_overwrite<char[]>(scratch.capacity + simdjson::SIMDJSON_PADDING);
  scratch.parser = std::make_unique<ondemand::parser>();
}

}  // namespace

simdjson::simdjson_result<ondemand::document> open_json(std::string_view text) {
  thread_local Scratch scratch;
  make_room(scratch, text.size());
  if (scratch.parser->capacity() < scratch.capacity) {
    if (const auto error = scratch.parser->allocate(scratch.capacity)) return error;
  }
  if (!text.empty()) std::memcpy(scratch.text.get(), text.data(), text.size());
  std::memset(scratch.text.get() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
  return scratch.parser->iterate(
      simdjson::padded_string_view(scratch.text.get(), text.size(), text.size() + simdjson::SIMDJSON_PADDING));
}

std::string text_of(ondemand::value value, std::size_t most) {
  std::string_view text;
  if (value.get_string().get(text)) return {};
  if (text.size() > most) {
    std::size_t cut = most;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
    text = text.substr(0, cut);
  }
  return std::string(text);
}

std::string_view literal_of(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type) || type != ondemand::json_type::string) return {};
  const std::string_view token = value.raw_json_token();  // with the whitespace behind it
  return token.substr(0, token.rfind('"') + 1);
}

std::string_view view_of(ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text)) return {};
  return text;
}

bool is_null(ondemand::value value) {
  ondemand::json_type type{};
  return !value.type().get(type) && type == ondemand::json_type::null;
}

bool has_content(ondemand::value value) {
  ondemand::json_type type{};
  if (value.type().get(type)) return false;
  switch (type) {
    case ondemand::json_type::string:
      return !value.raw_json_token().starts_with("\"\"");
    case ondemand::json_type::array: {
      bool any = false;
      for_each_element(value.get_array(), [&](ondemand::value) { any = true; });
      return any;
    }
    case ondemand::json_type::object:
      return true;
    default:
      return false;
  }
}

}  // namespace fuseboard::llm
