// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A permit that is valid later [LIM-9.5].
#pragma once

#include "fuseboard/core/time.h"

namespace fuseboard {

// What was taken now for a call that may be sent at `valid_at` and not before. If it is not sent, `grant` is released,
// as that of a call which was refused elsewhere.
template <typename Grant>
struct Reservation {
  Grant grant;
  TimePoint valid_at;
};

}  // namespace fuseboard
