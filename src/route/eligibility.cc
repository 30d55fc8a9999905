// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/route/eligibility.h"

namespace fuseboard {
namespace {

bool shares_credential(const RouteTraits& a, const RouteTraits& b) noexcept {
  return a.credential != kNoCredential && a.credential == b.credential;
}

bool may_have_larger_window(const RouteTraits& candidate, const RouteTraits& failed, bool unknown_is_larger) noexcept {
  if (!candidate.context_window) return unknown_is_larger;
  return !failed.context_window || *candidate.context_window > *failed.context_window;
}

}  // namespace

bool stays_candidate(const Failure& failure, const RouteTraits& failed, const RouteTraits& candidate,
                     const EligibilityOptions& options) noexcept {
  if (!allows_fallback(failure, options.fallback_on)) return false;
  if (options.bound_to_provider && candidate.provider != failed.provider) return false;
  switch (failure.category) {
    case Category::authentication:
    case Category::quota_exhausted:
      // The same credential may be good for another model; what is parked of it refuses by itself.
      return failure.scope == FailureScope::model || !shares_credential(candidate, failed);
    case Category::context_length_exceeded:
      return may_have_larger_window(candidate, failed, options.unknown_is_larger);
    default:
      return true;
  }
}

}  // namespace fuseboard
