// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A tool runner in C behind a tool guard. Time stands still here so that the example is quick; leave the clock out to
// use the machine's.

#include <stdbool.h>
#include <stdio.h>

#include "fuseboard/c/fuseboard.h"

static int64_t now_ns = 1000000000;

static int64_t example_clock(void* user) { return *(const int64_t*)user; }

// Stands for your tool: broken until it is mended.
static bool tool_works = false;

// The whole integration. Returns whether the tool was asked at all.
static bool run_tool(fuseboard_tool_guard* guard, const char* tool) {
  fuseboard_rejection rejection = FUSEBOARD_INIT(fuseboard_rejection);
  fuseboard_tool_permit* permit = NULL;
  const fuseboard_status status =
      fuseboard_tool_try_acquire(guard, tool, FUSEBOARD_PRIORITY_NORMAL, FUSEBOARD_NO_TIMEOUT, &permit, &rejection);
  if (status == FUSEBOARD_REJECTED) {
    printf("%s: refused: %s, worth asking again in %lld ms\n", tool, fuseboard_reason_name(rejection.reason),
           (long long)rejection.retry_after_ms);
    return false;
  }
  if (status != FUSEBOARD_OK) {
    fprintf(stderr, "%s: %s\n", fuseboard_status_name(status), fuseboard_last_error());
    return false;
  }
  printf("%s: called: %s\n", tool, tool_works ? "works" : "fails");
  fuseboard_tool_settle(permit, tool_works ? FUSEBOARD_OUTCOME_SUCCESS : FUSEBOARD_OUTCOME_EXECUTION_ERROR, 0);
  return true;
}

static void print_tool(const char* tool, const fuseboard_circuit* circuit, const fuseboard_tool_limit* limit,
                       void* user) {
  (void)user;
  printf("%s is %s, %.0f of %.0f tokens left\n", tool, fuseboard_circuit_state_name(circuit->state), limit->available,
         limit->burst);
}

int main(void) {
  printf("libfuseboard %s\n", fuseboard_version());

  fuseboard_breaker_options breaker;
  fuseboard_breaker_options_init(&breaker, FUSEBOARD_PRESET_TOOL);
  breaker.failure_threshold = 3;
  fuseboard_tool_options tool;
  fuseboard_tool_options_init(&tool);
  tool.breaker = &breaker;
  fuseboard_tool_guard_options options;
  fuseboard_tool_guard_options_init(&options);
  options.defaults = &tool;
  options.clock_now_ns = example_clock;
  options.clock_user = &now_ns;

  fuseboard_tool_guard* guard = NULL;
  if (fuseboard_tool_guard_create(&options, &guard) != FUSEBOARD_OK) {
    fprintf(stderr, "%s\n", fuseboard_last_error());
    return 1;
  }
  bool as_expected = true;
  for (int i = 0; i < 3; ++i) as_expected &= run_tool(guard, "search");  // the third failure opens the circuit
  as_expected &= !run_tool(guard, "search");
  as_expected &= fuseboard_tool_should_pause(guard, 1);

  tool_works = true;
  now_ns += 5000000000;  // the open time is over
  as_expected &= run_tool(guard, "search");
  fuseboard_tool_visit_all(guard, print_tool, NULL);
  as_expected &= fuseboard_tool_open_count(guard) == 0;
  fuseboard_tool_guard_destroy(guard);
  return as_expected ? 0 : 1;
}
