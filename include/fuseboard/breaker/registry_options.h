// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which options the breakers of a registry have, by key.
#pragma once

#include <cstddef>
#include <vector>

#include "fuseboard/breaker/options.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

struct BreakerRegistryOptions {
  struct ForKey {
    Key key;
    BreakerOptions options{};
  };

  struct ForGlob {
    // '*' stands for any characters or none, '?' for any one; the rest for itself. A single pattern matches single
    // keys; of a pair each part matches by itself, so ("openai", "gpt-*") is every such model of openai.
    Key pattern;
    BreakerOptions options{};
  };

  // For every key without options of its own.
  BreakerOptions defaults{};
  // Options by exact key, which win over globs; a key may be named once.
  std::vector<ForKey> keys{};
  // Options by pattern; the first that matches wins. At most 1000.
  std::vector<ForGlob> globs{};
  // Keys held at once; 1 to 1 000 000. At the bound a new key takes the place of an idle closed one that was not used
  // recently: never of one that is open, half-open, overridden, in flight or held by a handle, nor of one whose
  // companion is not idle. Where none is found among those looked at, the new key is admitted untracked and counted.
  std::size_t max_keys = 10'000;

  Problems validate() const;
};

}  // namespace fuseboard
