// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The memory of coroutine frames that have ended, which each thread keeps for those to come.
#pragma once

#include <cstddef>

namespace fuseboard::net {

// Gives back what this thread has not needed since it was last asked: call it every few seconds. Never blocks.
void release_spare_frames() noexcept;

// What this thread keeps, in bytes. 0 under AddressSanitizer, where no frame is used again.
std::size_t spare_frame_bytes() noexcept;

}  // namespace fuseboard::net
