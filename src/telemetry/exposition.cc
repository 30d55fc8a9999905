// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "telemetry/exposition.h"

#include <fmt/format.h>

#include <iterator>

namespace fuseboard::telemetry {
namespace {

void append_escaped(std::string& text, std::string_view value, bool quote) {
  for (const char c : value) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else if (quote && c == '"') {
      text += "\\\"";
    } else {
      text += c;
    }
  }
}

std::string_view type_name(Exposition::Type type) {
  switch (type) {
    case Exposition::Type::counter:
      return "counter";
    case Exposition::Type::gauge:
      return "gauge";
    case Exposition::Type::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  fmt::format_to(std::back_inserter(text_), "# HELP {} ", name);
  append_escaped(text_, help, false);
  fmt::format_to(std::back_inserter(text_), "\n# TYPE {} {}\n", name, type_name(type));
}

void Exposition::series(std::string_view name, std::span<const Label> labels) {
  text_ += name;
  if (!labels.empty()) {
    char separator = '{';
    for (const Label& label : labels) {
      text_ += separator;
      text_ += label.name;
      text_ += "=\"";
      append_escaped(text_, label.value, true);
      text_ += '"';
      separator = ',';
    }
    text_ += '}';
  }
  text_ += ' ';
}

void Exposition::sample(std::string_view name, std::span<const Label> labels, double value) {
  series(name, labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::sample(std::string_view name, std::span<const Label> labels, std::uint64_t value) {
  series(name, labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

}  // namespace fuseboard::telemetry
