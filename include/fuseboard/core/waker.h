// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Ends somebody's wait early: a place became free, a circuit closed, another's answer came.
#pragma once

namespace fuseboard {

// Implementations are thread-safe, return at once and take a call too many: whoever is woken looks again by itself.
// Called outside every lock of the library.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() noexcept = 0;
};

}  // namespace fuseboard
