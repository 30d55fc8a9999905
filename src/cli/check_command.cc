// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/diagnostics.h"
#include "config/load.h"
#include "fuseboard/core/escape.h"
#include "fuseboard/core/validation.h"
#include "gateway/gateway.h"

namespace fuseboard::cli {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const std::vector<config::Diagnostic>& found) {
  Json list = Json::array();
  for (const config::Diagnostic& one : found) {
    list.push_back({{"file", one.file},
                    {"line", one.line},
                    {"column", one.column},
                    {"field", one.field},
                    {"value", one.value},
                    {"allowed", one.allowed},
                    {"message", one.message}});
  }
  return list;
}

void print_json(const config::Loaded& loaded) {
  const Json report = {{"ok", loaded.config.has_value()},
                       {"problems", to_json(loaded.problems)},
                       {"warnings", to_json(loaded.warnings)}};
  fmt::print("{}\n", report.dump(2, ' ', true, Json::error_handler_t::replace));
}

}  // namespace

int check(const CheckArguments& arguments) {
  const std::string file = arguments.config.value_or(kDefaultConfig);
  config::Loaded loaded = config::load_file(file, config::process_environment());
  if (!arguments.config) warn_of_other_default(loaded);
  // What serve would do first: whatever it would stumble over is found here too.
  if (loaded.config) {
    try {
      const gateway::Gateway made(*loaded.config, {.threads = 1});
    } catch (const InvalidOptions& error) {
      loaded.problems.push_back({.file = file, .message = error.what()});
      loaded.config.reset();
    }
  }
  if (arguments.json) {
    print_json(loaded);
    return loaded.config ? kDone : kWrong;
  }
  print_diagnostics(loaded);
  if (!loaded.config) return kWrong;
  fmt::print("{}: ok, {} over {}\n", escape_unprintable(file), counted(loaded.config->models.size(), "model"),
             counted(loaded.config->providers.size(), "provider"));
  return kDone;
}

}  // namespace fuseboard::cli
