// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/usage_form.h"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kMark = "\"exponent:";

ordered_json in_form(std::uint64_t count, UsageForm form) {
  switch (form) {
    case UsageForm::kText:
      return std::to_string(count);
    case UsageForm::kNegative:
      return -static_cast<std::int64_t>(count);
    case UsageForm::kExponent:
      return fmt::format("exponent:{}e0", count);
    case UsageForm::kLow:
      return count == 0 ? 0 : 1;
    case UsageForm::kTrue:
    case UsageForm::kNone:
      break;
  }
  return count;
}

}  // namespace

ordered_json told(ordered_json usage, UsageForm form) {
  if (form == UsageForm::kNone) return nullptr;
  for (ordered_json& member : usage) {
    if (member.is_object()) member = told(member, form);
    if (member.is_number()) member = in_form(member.get<std::uint64_t>(), form);
  }
  return usage;
}

void spell_exponents(std::string& json) {
  for (std::size_t at = json.find(kMark); at != std::string::npos; at = json.find(kMark, at)) {
    json.erase(at, kMark.size());
    json.erase(json.find('"', at), 1);
  }
}

}  // namespace fuseboard::sim
