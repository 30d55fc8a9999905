// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A tool runner behind a ToolGuard: the whole integration is the five lines of run_tool(), and the guard itself.

#include "fuseboard/tools/tool_guard.h"

#include <cstdio>
#include <expected>
#include <stdexcept>
#include <string>

using namespace fuseboard;

namespace {

// Stands for your tools: "search" is down, "calculator" knows what it is asked wrongly.
std::string really_run(const std::string& tool, const std::string& argument) {
  if (tool == "search") throw std::runtime_error("connection refused");
  if (argument.empty()) throw std::invalid_argument("nothing to calculate");
  return "42";
}

ToolGuard guard;

// What the model is told instead of an answer: refused tools included, so that it tries something else.
std::string run_tool(const std::string& tool, const std::string& argument) try {
  const auto answer = guard.call(tool, [&] { return really_run(tool, argument); });
  if (answer) return *answer;
  return "unavailable: " + std::string(name(answer.error().reason));
} catch (const std::exception& error) {
  return std::string("error: ") + error.what();
}

}  // namespace

int main() {
  for (int i = 0; i < 8; ++i) std::printf("search: %s\n", run_tool("search", "fuses").c_str());
  for (int i = 0; i < 8; ++i) std::printf("calculator: %s\n", run_tool("calculator", "").c_str());
  std::printf("calculator: %s\n", run_tool("calculator", "6 * 7").c_str());

  for (const ToolSnapshot& tool : guard.snapshot()) {
    std::printf("%s is %s, %.0f of %.0f tokens left\n", to_text(tool.circuit.key.view()).c_str(),
                std::string(name(tool.circuit.state)).c_str(), tool.limit->available, tool.limit->burst);
  }
  const bool search_is_open = guard.snapshot("search").circuit.state == CircuitState::open;
  const bool calculator_is_fine = guard.snapshot("calculator").circuit.state == CircuitState::closed;
  return search_is_open && calculator_is_fine && !guard.should_pause_for_recovery(2) ? 0 : 1;
}
