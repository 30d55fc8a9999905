// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which other targets are still worth asking after one has failed [FBK-2, FBK-7]: a pure decision.
#pragma once

#include <cstdint>
#include <optional>

#include "fuseboard/core/category.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard {

// A target without a credential: shares it with nobody.
inline constexpr std::uint32_t kNoCredential = 0;

// What routing knows of a target. The ids are the plan's own numbers: equal means the same one.
struct RouteTraits {
  std::uint32_t credential = kNoCredential;
  std::uint32_t provider = 0;
  std::optional<std::uint64_t> context_window{};  // tokens, input and output together; nullopt if nobody said
  double weight = 1.0;                            // for Strategy::weighted
};

struct EligibilityOptions {
  // Categories that fall back only when named here; content_policy is the one such category.
  CategorySet fallback_on{};
  // The request refers to state that one provider keeps: an earlier answer, a file, a container.
  bool bound_to_provider = false;
  // A window that is not known counts as larger than one that was too small: once in a call, so that no more than one
  // request is sent on a guess.
  bool unknown_is_larger = true;
};

// Whether another target may be asked at all. What one provider's safety system refused is not carried to the next one
// unless `fallback_on` names it [FBK-2].
constexpr bool allows_fallback(const Failure& failure, const CategorySet& fallback_on) noexcept {
  return failure.fallback &&
         (failure.category != Category::content_policy || fallback_on.contains(Category::content_policy));
}

// Whether `candidate` stays in the running after `failed` has failed. A candidate that is out stays out: ask for each
// that was left, after each failure.
//
// - Nobody stays unless the failure says that another target may succeed; a bad request stops here.
// - A content policy's refusal stops here too, unless `fallback_on` names it.
// - A refused credential or a used-up quota rules out the targets that share the credential, unless it is of one model:
//   then its own target alone is parked.
// - What is too long goes only to a larger window. One that is not known counts as larger where `unknown_is_larger`;
//   one that is known may be larger than one that is not.
// - A bound request never leaves its provider.
bool stays_candidate(const Failure& failure, const RouteTraits& failed, const RouteTraits& candidate,
                     const EligibilityOptions& options) noexcept;

}  // namespace fuseboard
