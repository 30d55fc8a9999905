// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/reader.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <system_error>

#include "config/expand.h"
#include "config/secret.h"
#include "config/spelling.h"
#include "config/units.h"

namespace fuseboard::config {
namespace {

template <typename Number>
struct Parsed {
  Number value{};
  bool is_number = false;
  bool fits = false;
};

template <typename Number>
Parsed<Number> parse_number(std::string_view text) {
  Parsed<Number> parsed;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed.value);
  parsed.is_number = error != std::errc::invalid_argument && end == text.data() + text.size();
  parsed.fits = error == std::errc();
  return parsed;
}

}  // namespace

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

Cursor Cursor::item(std::size_t i) const {
  const Node* value = node->items[i];
  return {value, fmt::format("{}[{}]", path, i), context, value->at};
}

Cursor Cursor::child(const Entry& entry) const {
  // A value that is not there is marked where the next thing stands; its key is what people look for.
  const bool absent = entry.value->kind == Node::Kind::null;
  return {entry.value, join(path, entry.key), context, absent ? entry.at : entry.value->at};
}

std::string Cursor::shown() const {
  if (node->kind != Node::Kind::scalar) return std::string(kind_name(node->kind));
  // An anchored text may be a credential somewhere else.
  if (node->anchored) return std::string(Secret::kMask);
  const auto expanded = expand(node->text, context->environment);
  if (!expanded || expanded->from_variable) return std::string(Secret::kMask);
  return expanded->text;
}

bool expect_kind(const Cursor& cursor, Node::Kind kind, std::string_view expected) {
  if (cursor.node->kind == kind) return true;
  // The kind alone: a text in the wrong place may be a credential.
  cursor.context->report.refuse(cursor.at(), cursor.path, kind_name(cursor.node->kind), expected);
  return false;
}

MapReader::MapReader(const Cursor& cursor, std::span<const std::string_view> known) : cursor_(cursor) {
  if (!expect_kind(cursor, Node::Kind::map, fmt::format("a map with the keys {}", list_names(known)))) return;
  for (const Entry& entry : cursor.node->entries) {
    if (std::ranges::find(known, entry.key) != known.end()) continue;
    cursor.context->report.say(entry.at, join(cursor.path, entry.key), unknown_name(entry.key, known));
  }
}

std::optional<Cursor> MapReader::find(std::string_view key) const {
  const auto found = std::ranges::find(cursor_.node->entries, key, &Entry::key);
  if (found == cursor_.node->entries.end()) return std::nullopt;
  return cursor_.child(*found);
}

std::optional<Cursor> MapReader::require(std::string_view key, std::string_view purpose) const {
  std::optional<Cursor> found = find(key);
  if (!found && cursor_.node->kind == Node::Kind::map) {
    cursor_.context->report.say(cursor_.at(), join(cursor_.path, key), fmt::format("missing; it takes {}", purpose));
  }
  return found;
}

std::string list_names(std::span<const std::string_view> names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::optional<Text> read_text(const Cursor& cursor, std::string_view expected) {
  if (!expect_kind(cursor, Node::Kind::scalar, expected)) return std::nullopt;
  auto expanded = expand(cursor.node->text, cursor.context->environment);
  if (!expanded) {
    cursor.say(expanded.error());
    return std::nullopt;
  }
  return Text{std::move(expanded->text), expanded->from_variable};
}

std::optional<Duration> read_duration(const Cursor& cursor, std::string_view expected) {
  const auto text = read_text(cursor, expected);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(text->value);
  if (!duration) cursor.refuse(expected);
  return duration;
}

std::optional<std::uint64_t> read_size(const Cursor& cursor) {
  const auto text = read_text(cursor, kSizeForm);
  if (!text) return std::nullopt;
  const auto size = parse_size(text->value);
  if (!size) cursor.refuse(kSizeForm);
  return size;
}

std::optional<double> read_number(const Cursor& cursor, std::string_view expected) {
  const auto text = read_text(cursor, expected);
  if (!text) return std::nullopt;
  const auto parsed = parse_number<double>(text->value);
  if (parsed.is_number && parsed.fits) return parsed.value;
  cursor.refuse(expected);
  return std::nullopt;
}

std::optional<bool> read_bool(const Cursor& cursor) {
  constexpr std::array<std::pair<std::string_view, bool>, 2> kChoices = {{{"true", true}, {"false", false}}};
  return read_choice<bool>(cursor, kChoices);
}

std::optional<Category> read_category(const Cursor& cursor) {
  std::array<Category, kCategoryCount> categories;
  std::ranges::transform(all_categories(), categories.begin(), &CategoryProperties::category);
  return read_named(cursor, categories);
}

std::optional<std::int64_t> read_integer(const Cursor& cursor) {
  constexpr std::string_view kForm = "a whole number";
  const auto text = read_text(cursor, kForm);
  if (!text) return std::nullopt;
  const auto parsed = parse_number<std::int64_t>(text->value);
  if (!parsed.is_number) {
    cursor.refuse(kForm);
    return std::nullopt;
  }
  if (parsed.fits) return parsed.value;
  using Limits = std::numeric_limits<std::int64_t>;
  return text->value.starts_with('-') ? Limits::min() : Limits::max();
}

}  // namespace fuseboard::config
