// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace fuseboard {

void invariant_broken(const char* what, std::source_location where) {
  std::fprintf(stderr, "fuseboard: broken invariant: %s (%s:%u)\n", what, where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace fuseboard
