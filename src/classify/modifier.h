// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The only departures from the properties of a category (docs/semantics.md, "Categories").
#pragma once

#include <cstdint>

#include "fuseboard/core/outcome.h"

namespace fuseboard {

enum class Modifier : std::uint8_t {
  none,
  request_exceeds_window,  // one request is larger than the whole window, so waiting does not help
  bad_model_output,        // the model produced unusable output; another draw may be fine
  capability_mismatch,     // another model may have the capability
  untrusted_certificate,   // the same handshake fails again
  own_exhaustion,          // our own process is exhausted; no target is to blame and none would help
};

inline Failure make_failure(Category category, Modifier modifier) noexcept {
  Failure failure = Failure::of(category);
  switch (modifier) {
    case Modifier::none:
      break;
    case Modifier::request_exceeds_window:
    case Modifier::untrusted_certificate:
      failure.retryable = false;
      break;
    case Modifier::bad_model_output:
      failure.retryable = true;
      failure.fallback = true;
      break;
    case Modifier::capability_mismatch:
      failure.fallback = true;
      break;
    case Modifier::own_exhaustion:
      failure.evidence = Evidence::does_not_count;
      failure.fallback = false;
      break;
  }
  return failure;
}

}  // namespace fuseboard
