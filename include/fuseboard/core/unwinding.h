// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Whether an exception is the reason why something is destroyed.
#pragma once

#include <cstdint>

namespace fuseboard {

// A moment of the thread that made it. Copying is cheap; `now()` costs two loads, where std::uncaught_exceptions()
// would cost more than the rest of an admission.
class UnwindingMark {
 public:
  // Belongs to no thread.
  constexpr UnwindingMark() noexcept = default;
  static UnwindingMark now() noexcept {
    const std::uint32_t* const here = uncaught_here_ != nullptr ? uncaught_here_ : find();
    return {here, *here};
  }

  // Whether an exception that was thrown since, on the thread that made the mark, is unwinding a scope there now. Made
  // by a destructor that an exception runs, a mark does not mean that exception.
  bool unwinding() const noexcept { return uncaught_ != nullptr && uncaught_ == now().uncaught_ && *uncaught_ > then_; }

 private:
  UnwindingMark(const std::uint32_t* uncaught, std::uint32_t then) noexcept : uncaught_(uncaught), then_(then) {}
  static const std::uint32_t* find() noexcept;

  // Where this thread counts its exceptions that are thrown and not caught yet.
  static inline constinit thread_local const std::uint32_t* uncaught_here_ = nullptr;

  const std::uint32_t* uncaught_ = nullptr;
  std::uint32_t then_ = 0;
};

}  // namespace fuseboard
