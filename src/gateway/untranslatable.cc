// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/untranslatable.h"

#include <fmt/format.h>

namespace fuseboard::gateway {

std::string to_text(const Untranslatable& untranslatable, const Plan& plan) {
  std::string_view why = untranslatable.error.message;
  if (why.ends_with('.')) why.remove_suffix(1);
  std::string text = fmt::format("{}: {}", plan.targets()[untranslatable.target].name, why);
  // Most messages name the field themselves.
  const std::string& field = untranslatable.error.param;
  if (!field.empty() && !why.contains(field)) text += fmt::format(" ({})", field);
  return text;
}

std::string to_text(std::span<const Untranslatable> all, const Plan& plan) {
  std::string text;
  for (const Untranslatable& one : all) {
    if (!text.empty()) text += "; ";
    text += to_text(one, plan);
  }
  return text;
}

std::string note_of(std::span<const Untranslatable> all, const Plan& plan) {
  return all.empty() ? std::string() : "; not asked: " + to_text(all, plan);
}

}  // namespace fuseboard::gateway
