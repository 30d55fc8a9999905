// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/waiter.h"

namespace fuseboard {

ThreadWaiter& ThreadWaiter::instance() noexcept {
  static ThreadWaiter instance;
  return instance;
}

}  // namespace fuseboard
