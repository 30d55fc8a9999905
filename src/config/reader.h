// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Typed values out of a document, with a report of what is not as expected.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "config/load.h"
#include "config/problem_report.h"
#include "config/yaml_document.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/time.h"

namespace fuseboard::config {

// What all readers of one file share.
struct Context {
  Report& report;
  const Environment& environment;
  std::string folder;        // of the file: where relative paths begin
  bool check_files = false;  // whether files that are named must be there
};

// A value and the way to it. Cheap to copy; the document and the context outlive it.
struct Cursor {
  const Node* node;
  std::string path;  // "models.smart.retry"
  Context* context;
  Position place;

  Position at() const noexcept { return place; }
  Cursor item(std::size_t i) const;        // of a sequence: "path[0]"
  Cursor child(const Entry& entry) const;  // of a map: "path.key"

  // What diagnostics show of the value: never a secret, and no more than its kind where it is no text.
  std::string shown() const;
  void refuse(std::string_view allowed) const { context->report.refuse(at(), path, shown(), allowed); }
  void say(std::string_view message) const { context->report.say(at(), path, message); }
  void warn(std::string_view message) const { context->report.warn(at(), path, message); }
};

// "path.key", or "key" at the top.
std::string join(std::string_view path, std::string_view key);

// Whether the value is of that kind; reports where it is not. `expected` says so in words: "a map of names to
// providers".
bool expect_kind(const Cursor& cursor, Node::Kind kind, std::string_view expected);

// A map with a fixed set of keys. Construction reports keys that are not among them, each with the nearest that is.
class MapReader {
 public:
  MapReader(const Cursor& cursor, std::span<const std::string_view> known);

  std::optional<Cursor> find(std::string_view key) const;
  // The same, and a report where the key is absent. `purpose` says what it takes.
  std::optional<Cursor> require(std::string_view key, std::string_view purpose) const;

 private:
  Cursor cursor_;
};

// Each reads one kind of value, or reports and returns nullopt. Variables are expanded.
struct Text {
  std::string value;
  bool from_variable = false;
};
std::optional<Text> read_text(const Cursor& cursor, std::string_view expected);
std::optional<Duration> read_duration(const Cursor& cursor, std::string_view expected);
std::optional<std::uint64_t> read_size(const Cursor& cursor);
std::optional<double> read_number(const Cursor& cursor, std::string_view expected = "a number");
std::optional<bool> read_bool(const Cursor& cursor);

// A whole number, which may lie outside every range: it is clamped to 64 bits.
std::optional<std::int64_t> read_integer(const Cursor& cursor);

template <typename T>
using Choices = std::span<const std::pair<std::string_view, T>>;
std::string list_names(std::span<const std::string_view> names);

template <typename T>
std::optional<T> read_choice(const Cursor& cursor, Choices<T> choices) {
  std::string allowed;
  for (const auto& [name, value] : choices) allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  const std::optional<Text> text = read_text(cursor, allowed);
  if (!text) return std::nullopt;
  for (const auto& [name, value] : choices) {
    if (text->value == name) return value;
  }
  cursor.refuse(allowed);
  return std::nullopt;
}

// One of these members of an enumeration, under its own name().
template <typename T, std::size_t N>
std::optional<T> read_named(const Cursor& cursor, const std::array<T, N>& members) {
  std::array<std::pair<std::string_view, T>, N> choices;
  std::ranges::transform(members, choices.begin(), [](T one) { return std::pair{name(one), one}; });
  return read_choice<T>(cursor, choices);
}
std::optional<Category> read_category(const Cursor& cursor);

}  // namespace fuseboard::config
