// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Request ids.
#pragma once

#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/rng.h"

namespace fuseboard {

// "req_" and 26 characters of Crockford's base 32 out of 128 random bits: unguessable enough to find a call again, and
// no secret. Thread-safe where the generator is.
using RequestId = BoundedText<30>;
RequestId new_request_id(Rng& rng);

}  // namespace fuseboard
