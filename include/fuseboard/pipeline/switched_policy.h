// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A policy that options switch on and off while calls run.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace fuseboard {

// Once made it stays for as long as its owner does, since permits of calls in flight refer to it. get() is one load and
// may be called on any thread; switching wants one thread at a time.
template <typename Policy>
class SwitchedPolicy {
 public:
  // nullptr while it is off.
  Policy* get() const noexcept { return in_force_.load(std::memory_order_acquire); }

  // What was switched off comes back as it was: whoever switches it on tells it of its options.
  template <typename... Args>
  void switch_on(Args&&... args) {
    if (made_ == nullptr) made_ = std::make_unique<Policy>(std::forward<Args>(args)...);
    in_force_.store(made_.get(), std::memory_order_release);
  }
  void switch_off() noexcept { in_force_.store(nullptr, std::memory_order_release); }

 private:
  std::unique_ptr<Policy> made_;
  std::atomic<Policy*> in_force_{nullptr};
};

}  // namespace fuseboard
