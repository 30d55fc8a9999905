// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "breaker/glob.h"

#include "fuseboard/core/glob.h"

namespace fuseboard {

bool glob_matches(const KeyView& pattern, const KeyView& key) noexcept {
  if (pattern.is_pair() != key.is_pair()) return false;
  return glob_match(pattern.first(), key.first()) && (!key.is_pair() || glob_match(pattern.second(), key.second()));
}

}  // namespace fuseboard
