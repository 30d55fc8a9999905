// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/body_kind.h"

#include <algorithm>
#include <array>

namespace fuseboard::gateway {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// WHATWG HTML 9.2.6. A field without a colon is legal and means nothing; no server writes one.
constexpr std::array<std::string_view, 4> kFields = {"data:", "event:", "id:", "retry:"};

}  // namespace

BodyKind body_kind(std::string_view begun) noexcept {
  if (begun.starts_with(kByteOrderMark)) {
    begun.remove_prefix(kByteOrderMark.size());
  } else if (kByteOrderMark.starts_with(begun)) {
    return BodyKind::unclear;
  }
  begun.remove_prefix(std::min(begun.find_first_not_of(" \t\r\n"), begun.size()));
  if (begun.empty()) return BodyKind::unclear;
  if (begun.front() == '{' || begun.front() == '[') return BodyKind::json;
  if (begun.front() == ':') return BodyKind::events;
  if (std::ranges::any_of(kFields, [&](std::string_view field) { return begun.starts_with(field); })) {
    return BodyKind::events;
  }
  const bool may_be = std::ranges::any_of(kFields, [&](std::string_view field) { return field.starts_with(begun); });
  return may_be ? BodyKind::unclear : BodyKind::other;
}

}  // namespace fuseboard::gateway
