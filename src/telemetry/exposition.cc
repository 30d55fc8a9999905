// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/telemetry/exposition.h"

#include <array>
#include <charconv>

#include "fuseboard/core/escape.h"

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

// Callers write names of models: what shows the text must not be steered by them. The format has its own way to write a
// line's end.
void append_label(std::string& text, std::string_view value) {
  if (is_printable(value)) return append_escaped(text, value, true);
  for (std::size_t end = value.find('\n'); end != std::string_view::npos; end = value.find('\n')) {
    append_escaped(text, escape_unprintable(value.substr(0, end)), true);
    text += "\\n";
    value.remove_prefix(end + 1);
  }
  append_escaped(text, escape_unprintable(value), true);
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

// The shortest text that reads back as the same number.
template <typename Number>
void append_number(std::string& text, Number value) {
  std::array<char, 32> buffer{};
  const std::to_chars_result end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  text.append(buffer.data(), end.ptr);
}

}  // namespace

std::string number_text(double value) {
  std::string text;
  append_number(text, value);
  return text;
}

void Exposition::family(std::string_view name, Type type, std::string_view help) {
  text_.append("# HELP ").append(name).append(" ");
  append_escaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type_name(type)).append("\n");
}

void Exposition::series(std::string_view name, std::span<const Label> labels) {
  text_ += name;
  if (!labels.empty()) {
    char separator = '{';
    for (const Label& label : labels) {
      text_ += separator;
      text_ += label.name;
      text_ += "=\"";
      append_label(text_, label.value);
      text_ += '"';
      separator = ',';
    }
    text_ += '}';
  }
  text_ += ' ';
}

void Exposition::sample(std::string_view name, std::span<const Label> labels, double value) {
  series(name, labels);
  append_number(text_, value);
  text_ += '\n';
}

void Exposition::sample(std::string_view name, std::span<const Label> labels, std::uint64_t value) {
  series(name, labels);
  append_number(text_, value);
  text_ += '\n';
}

}  // namespace fuseboard::telemetry
