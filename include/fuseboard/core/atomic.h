// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What policies share between threads, under names of its own: the standard library's atomics and mutex.
//
// tests/interleave compiles the same policies over a scheduler that tries every interleaving of a few calls. It defines
// FUSEBOARD_INTERLEAVE to a header with the same two names, in which each operation is a step of that scheduler. Nobody
// else defines it, and it costs nothing.
#pragma once

#if defined(FUSEBOARD_INTERLEAVE)
#include FUSEBOARD_INTERLEAVE
#else
#include <atomic>
#include <mutex>

namespace fuseboard {

template <typename T>
using Atomic = std::atomic<T>;

// Policies use Mutex (core/mutex.h), which clang's analysis understands.
using PlainMutex = std::mutex;

}  // namespace fuseboard
#endif
