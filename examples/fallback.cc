// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A call over two models: the first one fails, the second one answers, and the record says what happened.

#include <cstdio>
#include <string>

#include "fuseboard/pipeline/blocking.h"
#include "fuseboard/pipeline/target_registry.h"

using namespace fuseboard;
using namespace std::chrono_literals;

namespace {

// Stands for your client. `attempt.total_by` is the time by which it should give up.
std::expected<std::string, Failure> ask_model(const Attempt& attempt) {
  if (attempt.target == 0) return std::unexpected(Failure::of(Category::overloaded));
  return "Hello from the second model.";
}

}  // namespace

int main() {
  TargetRegistry targets;  // what all calls to a target share; limits and more are options of it
  const auto plan = std::make_shared<const Plan>(
      "smart",
      std::vector<Target>{{.name = "openai/gpt-5", .state = targets.target({"openai", "gpt-5"})},
                          {.name = "local/llama", .state = targets.target({"local", "llama"})}},
      PlanOptions{.retry = {.max_attempts = 2, .base = 1ms}});

  const auto result = run(plan, ask_model);
  if (!result.value) {
    std::printf("no answer: %s\n", std::string(name(result.value.error().ending)).c_str());
    return 1;
  }
  std::printf("%s\n", result.value->c_str());
  for (const AttemptRecord& attempt : result.record.attempts) {
    std::printf("attempt %u on %s: %s\n", attempt.number, plan->targets()[attempt.target].name.c_str(),
                attempt.failure ? std::string(name(attempt.failure->category)).c_str() : "success");
  }
  return result.record.attempts.size() == 3 ? 0 : 1;
}
