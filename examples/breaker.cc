// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One breaker around one tool: it opens after failures, says when to come back, and lets a single probe through.
//
// Time stands still here so that the example is quick; leave the clock out to use the machine's.

#include <cstdio>
#include <string>

#include "fuseboard/breaker/circuit_breaker.h"

using namespace fuseboard;
using namespace std::chrono_literals;

namespace {

// Stands for your tool: broken until it is mended.
bool tool_works = false;

// Returns whether the tool was asked at all.
bool call_tool(CircuitBreaker& breaker) {
  auto permit = breaker.try_acquire();
  if (!permit) {
    std::printf("refused: %s, worth asking again in %lld ms\n", std::string(name(permit.error().reason)).c_str(),
                static_cast<long long>(ceil_milliseconds(permit.error().retry_after.value_or(0s))));
    return false;
  }
  std::printf("called: %s\n", tool_works ? "works" : "fails");
  std::move(*permit).settle(tool_works ? Outcome::success()
                                       : Outcome::failed(Failure::of(Category::service_unavailable)));
  return true;
}

}  // namespace

int main() {
  ManualClock clock;
  CircuitBreaker breaker({.failure_threshold = 3, .open_time = OpenTime::exponential(5s, 2.0, 120s)}, "search", clock);

  for (int i = 0; i < 3; ++i) call_tool(breaker);  // the third failure opens the circuit
  if (call_tool(breaker)) return 1;                // refused

  tool_works = true;
  clock.advance(5s);
  if (!call_tool(breaker)) return 1;  // the probe: the circuit closes
  return breaker.state() == CircuitState::closed ? 0 : 1;
}
