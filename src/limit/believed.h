// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What of a saved number is believed [LIM-10]: a file may say anything.
#pragma once

#include <algorithm>

#include "fuseboard/core/time.h"

namespace fuseboard {

// NaN counts as the least.
inline double believed(double saved, double least, double most) noexcept {
  return saved > least ? std::min(saved, most) : least;
}

inline Duration believed(Duration saved, Duration most) noexcept { return std::clamp(saved, Duration::zero(), most); }

}  // namespace fuseboard
