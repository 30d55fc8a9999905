// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "config/load.h"

namespace fuseboard::cli {
namespace {

void print_json(const config::Loaded& loaded) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const config::Diagnostic& problem : loaded.problems) {
    problems.push_back({{"file", problem.file},
                        {"line", problem.line},
                        {"column", problem.column},
                        {"field", problem.field},
                        {"value", problem.value},
                        {"allowed", problem.allowed},
                        {"message", problem.message}});
  }
  const nlohmann::ordered_json report = {{"ok", loaded.config.has_value()}, {"problems", std::move(problems)}};
  fmt::print("{}\n", report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

}  // namespace

int check(const CheckArguments& arguments) {
  const std::string file = arguments.config.value_or(kDefaultConfig);
  const config::Loaded loaded = config::load_file(file, config::process_environment());
  if (arguments.json) {
    print_json(loaded);
  } else {
    for (const config::Diagnostic& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.to_text());
    if (loaded.config) {
      fmt::print("{}: ok, {} models over {} providers\n", file, loaded.config->models.size(),
                 loaded.config->providers.size());
    }
  }
  return loaded.config ? kDone : kWrong;
}

}  // namespace fuseboard::cli
