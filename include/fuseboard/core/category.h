// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a failure means: the categories, their names and what follows from each.
//
// The names are stable identifiers in C++, JSON, metrics and configuration. The table in category.cc is the only place
// that says whether a category is retried, trips a breaker or falls back.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

namespace fuseboard {

enum class Category : std::uint8_t {
  network,              // no complete response: DNS, connect, TLS, reset, truncated body or stream
  timeout,              // a deadline passed
  rate_limit,           // the caller is over a short (< 1 h) window
  service_unavailable,  // server fault, down or cold start; an unusable 2xx
  overloaded,           // the provider lacks capacity for everyone
  circuit_open,         // a breaker refused locally, ours or a proxy's
  authentication,       // credential missing, wrong, expired, revoked
  permission_denied,    // credential fine, action not allowed
  invalid_request,      // the request itself is wrong
  tool_not_found,       // tool, method or command does not exist
  resource_not_found,   // file, session, response id or route does not exist
  model_not_found,      // model or deployment unknown, retired or unusable by this id
  context_length_exceeded,
  content_policy,      // the provider's safety system refused
  policy_violation,    // our own rule refused
  quota_exhausted,     // billing, credits, or a window >= 1 h
  resource_exhausted,  // memory, disk, descriptors, processes
  cancelled,           // somebody on our side stopped it
  execution_error,     // the callee ran and reported failure; also the default
};
inline constexpr std::size_t kCategoryCount = 19;

// What follows from a category when nothing more is known.
struct CategoryProperties {
  Category category;
  std::string_view name;
  bool retryable;      // the same call to the same target may succeed later, unchanged
  bool trips_breaker;  // evidence that the target is ill for other callers too
  bool fallback;       // another provider or model would plausibly succeed
};

const CategoryProperties& properties(Category category) noexcept;
std::string_view name(Category category) noexcept;
std::optional<Category> category_from_name(std::string_view name) noexcept;
// In the order of the enumerators.
std::span<const CategoryProperties, kCategoryCount> all_categories() noexcept;

// A set of categories in one word.
class CategorySet {
 public:
  constexpr CategorySet() noexcept = default;
  constexpr CategorySet(std::initializer_list<Category> categories) noexcept {
    for (const Category category : categories) insert(category);
  }
  constexpr void insert(Category category) noexcept { bits_ |= bit(category); }
  constexpr void erase(Category category) noexcept { bits_ &= ~bit(category); }
  constexpr bool contains(Category category) const noexcept { return (bits_ & bit(category)) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  static constexpr CategorySet all() noexcept {
    CategorySet set;
    set.bits_ = (1U << kCategoryCount) - 1;
    return set;
  }
  // As one word, for what is kept in an atomic.
  constexpr std::uint32_t bits() const noexcept { return bits_; }
  static constexpr CategorySet from_bits(std::uint32_t bits) noexcept {
    CategorySet set;
    set.bits_ = bits & all().bits_;
    return set;
  }
  friend constexpr bool operator==(CategorySet, CategorySet) noexcept = default;

 private:
  static constexpr std::uint32_t bit(Category category) noexcept { return 1U << static_cast<unsigned>(category); }
  std::uint32_t bits_ = 0;
};

// The categories that are evidence that a target is ill [BRK-19].
inline constexpr CategorySet kTrippingCategories = {Category::network, Category::timeout, Category::service_unavailable,
                                                    Category::overloaded, Category::resource_exhausted};

// The categories that speak of the account, whose credential was used, before they speak of the target [FBK-6].
inline constexpr CategorySet kAccountCategories = {Category::authentication, Category::permission_denied,
                                                   Category::quota_exhausted, Category::rate_limit};

}  // namespace fuseboard
