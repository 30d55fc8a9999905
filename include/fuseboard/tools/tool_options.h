// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How a ToolGuard is set up.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "fuseboard/breaker/options.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/token_bucket.h"

namespace fuseboard {

// 2 calls a second and a burst of 10, where a low priority pays double, a high one half and a critical one a tenth.
// It is a limit of our own; where a server counts the calls, mode `reserve` is the honest one.
TokenBucketOptions default_tool_limit();

// What one tool gets.
struct ToolOptions {
  // Default: 7 failures in a row open it for 5 s, doubling with each failed probe up to 120 s.
  BreakerOptions breaker = tool_preset();
  // nullopt: no limit.
  std::optional<TokenBucketOptions> limit = default_tool_limit();
  // Whether ToolOutcome::cancelled counts against the tool. What becomes of a forgotten permit is
  // `breaker.abandoned_is_failure`.
  bool cancelled_is_failure = false;

  Problems validate() const;
};

struct ToolGuardOptions {
  struct ForTool {
    Key tool;
    ToolOptions options{};
  };
  struct ForGlob {
    Key pattern;  // as in BreakerRegistryOptions::ForGlob
    ToolOptions options{};
  };

  // For every tool without options of its own.
  ToolOptions defaults{};
  // Options by exact name, which win over globs; a tool may be named once.
  std::vector<ForTool> tools{};
  // Options by pattern; the first that matches wins. At most 1000.
  std::vector<ForGlob> globs{};
  // Tools held at once; 1 to 1 000 000. At the bound a new tool takes the place of one that is closed, not in flight,
  // not used recently and whose bucket is full. Where none is found, the new one is admitted untracked and counted.
  std::size_t max_tools = 10'000;

  // Every problem at once, fields named as above: "tools.search.limit.rate".
  Problems validate() const;
};

}  // namespace fuseboard
