// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/unwinding.h"

#include <cxxabi.h>

namespace fuseboard {
namespace {

// As the C++ ABI for Itanium lays it out, section 2.2.2, which GCC and clang follow on every platform but Windows.
struct ExceptionGlobals {
  void* caught;
  std::uint32_t uncaught;
};

}  // namespace

const std::uint32_t* UnwindingMark::find() noexcept {
  const void* const globals = abi::__cxa_get_globals();
  uncaught_here_ = &static_cast<const ExceptionGlobals*>(globals)->uncaught;
  return uncaught_here_;
}

}  // namespace fuseboard
