// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/category.h"

#include <array>

namespace fuseboard {
namespace {

using enum Category;

// name, retryable, trips a breaker, fallback. Authentication and permission fall back for models; a tool runner does
// not ask.
constexpr std::array<CategoryProperties, kCategoryCount> kTable = {{
    {network, "network", true, true, true},
    {timeout, "timeout", true, true, true},
    {rate_limit, "rate_limit", true, false, true},
    {service_unavailable, "service_unavailable", true, true, true},
    {overloaded, "overloaded", true, true, true},
    {circuit_open, "circuit_open", true, false, true},
    {authentication, "authentication", false, false, true},
    {permission_denied, "permission_denied", false, false, true},
    {invalid_request, "invalid_request", false, false, false},
    {tool_not_found, "tool_not_found", false, false, false},
    {resource_not_found, "resource_not_found", false, false, false},
    {model_not_found, "model_not_found", false, false, true},
    {context_length_exceeded, "context_length_exceeded", false, false, true},
    {content_policy, "content_policy", false, false, true},
    {policy_violation, "policy_violation", false, false, false},
    {quota_exhausted, "quota_exhausted", false, false, true},
    {resource_exhausted, "resource_exhausted", false, true, true},
    {cancelled, "cancelled", false, false, false},
    {execution_error, "execution_error", false, false, false},
}};

consteval bool rows_match_enumerators_and_tripping_set() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].category) != i) return false;
    if (kTable[i].trips_breaker != kTrippingCategories.contains(kTable[i].category)) return false;
  }
  return true;
}
static_assert(rows_match_enumerators_and_tripping_set());

}  // namespace

const CategoryProperties& properties(Category category) noexcept { return kTable[static_cast<std::size_t>(category)]; }

std::string_view name(Category category) noexcept { return properties(category).name; }

std::optional<Category> category_from_name(std::string_view name) noexcept {
  for (const CategoryProperties& row : kTable) {
    if (row.name == name) return row.category;
  }
  return std::nullopt;
}

std::span<const CategoryProperties, kCategoryCount> all_categories() noexcept { return kTable; }

}  // namespace fuseboard
