// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A hash map by key that is asked with a borrowed one, so that a lookup allocates nothing.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "fuseboard/core/key.h"

namespace fuseboard {

struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(const Key& key) const noexcept { return hash(key.view()); }
  std::size_t operator()(const KeyView& key) const noexcept { return hash(key); }
};

struct KeyEqual {
  using is_transparent = void;
  bool operator()(const Key& a, const Key& b) const noexcept { return a.view() == b.view(); }
  bool operator()(const Key& a, const KeyView& b) const noexcept { return a.view() == b; }
  bool operator()(const KeyView& a, const Key& b) const noexcept { return a == b.view(); }
};

// Its entries stay where they are.
template <typename Value>
using KeyMap = std::unordered_map<Key, Value, KeyHash, KeyEqual>;

}  // namespace fuseboard
