// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Rules that a user adds; they win over ours.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// What must be seen, all of it, and what it means then. At least one condition and one conclusion.
struct UserRule {
  std::string name{};  // shown where it decided; empty: its place, "rules[2]"; up to 64 bytes

  std::optional<int> status{};  // 100 to 599; inside a 2xx, the status that the body names
  // A code in the body: `code`, `type`, `status`, `reason` and their like. Case and punctuation do not count. Up to 96
  // bytes.
  std::string body_code{};
  // Words of the provider's own message, one after another, or of the text where there is no message. Up to 256 bytes
  // and 12 words; docs/classification.md has the few signs that stand for other words.
  std::string phrase{};
  std::string header{};        // a header's name, up to 128 bytes
  std::string header_value{};  // what its value holds somewhere, whatever its case; empty: anything; up to 256 bytes

  std::optional<Category> category{};  // else the one that was judged
  std::optional<bool> retryable{};     // else what follows from the category
  std::optional<bool> trips_breaker{};
  std::optional<bool> fallback{};

  Problems validate() const;
};

// Checked and compiled. Cheap to copy, immutable, safe to share between threads.
class UserRules {
 public:
  static constexpr std::size_t kMaxRules = 256;

  UserRules() = default;  // none
  // Throws InvalidOptions where validate() finds anything.
  explicit UserRules(std::vector<UserRule> rules);
  static Problems validate(const std::vector<UserRule>& rules);

  bool empty() const noexcept { return compiled_ == nullptr; }

  // `judged` by our own rules, as the first rule that matches changes it. A success stays one.
  Classification apply(const CallEvidence& evidence, const Classification& judged) const noexcept;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace fuseboard
