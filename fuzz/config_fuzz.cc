// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as a configuration: a config or problems, never both or neither; what is accepted is within every range;
// what is reported is fit for a terminal and quotes no variable.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/load.h"
#include "fuseboard/core/check.h"

namespace {

using namespace fuseboard;

constexpr std::string_view kVariable = "hush-hush";

std::optional<std::string> variable(std::string_view name) {
  if (name.starts_with('N')) return std::nullopt;
  if (name.starts_with('D')) return "5s";
  return std::string(kVariable);
}

void check_config(const config::Config& accepted) {
  check_invariant(!accepted.providers.empty(), "a config has providers");
  for (const config::ProviderConfig& provider : accepted.providers) {
    check_invariant(provider.name.find('/') == std::string::npos, "a provider's name has no slash");
    check_invariant(!provider.base_url.host.empty() && provider.base_url.port != 0, "a provider has an address");
    check_invariant(provider.api_key.empty() == (provider.auth == config::Auth::none), "auth and credential agree");
    check_invariant(provider.breaker.validate().empty() && provider.timeouts.validate().empty(),
                    "options are in range");
  }
  for (const config::ModelConfig& model : accepted.models) {
    check_invariant(model.alias.find('/') == std::string::npos && !model.targets.empty(), "a model can be asked for");
    check_invariant(model.plan.validate().empty(), "a plan is in range");
    for (const config::TargetConfig& target : model.targets) {
      check_invariant(accepted.find_provider(target.provider) != nullptr, "a target's provider exists");
      check_invariant(target.breaker.validate().empty() && target.timeouts.validate().empty(), "options are in range");
      const auto shared = accepted.target(target.provider, target.model);
      check_invariant(shared && shared->breaker == target.breaker, "a target has one breaker");
    }
  }
}

void check_problem(const config::Diagnostic& problem, std::string_view input) {
  const std::string text = problem.to_text();
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  check_invariant(std::ranges::none_of(text, is_control), "a diagnostic is one line without control characters");
  check_invariant(!problem.message.empty() && problem.line >= 0 && (problem.line == 0) == (problem.column == 0),
                  "a diagnostic says what and where");
  const bool own_text = input.find(kVariable) != std::string_view::npos;
  check_invariant(own_text || text.find(kVariable) == std::string::npos, "a diagnostic quotes no variable");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const config::Loaded loaded = config::parse(text, "fuzz.yaml", variable);
  check_invariant(loaded.config.has_value() == loaded.problems.empty(),
                  "a config where, and only where, nothing is wrong");
  check_invariant(loaded.problems.size() <= config::kMaxProblems, "problems are bounded");
  if (loaded.config) check_config(*loaded.config);
  for (const config::Diagnostic& problem : loaded.problems) check_problem(problem, text);
  return 0;
}
