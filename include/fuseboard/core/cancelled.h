// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Exceptions that mean no failure.
#pragma once

#include <exception>

namespace fuseboard {

// For user code that was told to stop and leaves by an exception: neutral for every policy [BRK-10].
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "the call was cancelled"; }
};

// Whether it is a Cancelled, or a std::system_error that says std::errc::operation_canceled.
bool is_cancellation(const std::exception& thrown) noexcept;
// The same of the exception that is being handled, inside a catch block.
bool is_handling_cancellation() noexcept;

}  // namespace fuseboard
