// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/expand.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace fuseboard::config {
namespace {

constexpr std::size_t kMaxBytes = kMaxConfigBytes;

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !letter(name.front())) return false;
  for (const char c : name) {
    if (!letter(c) && (c < '0' || c > '9')) return false;
  }
  return true;
}

// `reference` is what stands between the braces.
std::expected<Expanded, std::string> look_up(std::string_view reference, const Environment& environment) {
  const std::size_t mark = reference.find(":-");
  const std::string_view name = reference.substr(0, mark);
  if (!is_variable_name(name)) {
    return std::unexpected("between ${ and } stands a name of letters, digits and _, then perhaps :- and a default");
  }
  std::optional<std::string> value = environment(name);
  if (mark == std::string_view::npos) {
    if (!value) return std::unexpected(fmt::format("the environment variable {} is not set", name));
    return Expanded{std::move(*value), true};
  }
  if (value && !value->empty()) return Expanded{std::move(*value), true};
  const std::string_view fallback = reference.substr(mark + 2);
  if (fallback.contains("${")) return std::unexpected("a default cannot contain another variable");
  return Expanded{std::string(fallback), false};
}

}  // namespace

bool is_bare_variable(std::string_view text) { return text.starts_with('$') && is_variable_name(text.substr(1)); }

std::expected<Expanded, std::string> expand(std::string_view text, const Environment& environment) {
  Expanded out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      out.text += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      if (end == std::string_view::npos) return std::unexpected("${ without its }; write $${ for the two characters");
      auto value = look_up(text.substr(2, end - 2), environment);
      if (!value) return value;
      out.text += value->text;
      out.from_variable = out.from_variable || value->from_variable;
      text.remove_prefix(end + 1);
    } else {
      out.text += '$';
      text.remove_prefix(1);
    }
    if (out.text.size() > kMaxBytes)
      return std::unexpected(fmt::format("longer than {} bytes once expanded", kMaxBytes));
  }
  return out;
}

}  // namespace fuseboard::config
