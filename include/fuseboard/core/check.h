// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Broken invariants stop the program in every build; errors of the world are values (std::expected) instead.
#pragma once

#include <source_location>

namespace fuseboard {

// Prints what broke and where to stderr, then aborts. Prints nothing of the program's data: there may be secrets in it.
[[noreturn]] void invariant_broken(const char* what, std::source_location where = std::source_location::current());

inline void check_invariant(bool holds, const char* what,
                            std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]] {
    invariant_broken(what, where);
  }
}

}  // namespace fuseboard
