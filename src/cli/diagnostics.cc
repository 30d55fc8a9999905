// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "cli/diagnostics.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cli/commands.h"

namespace fuseboard::cli {
namespace {

constexpr const char* kOtherDefault = "fuseboard.yml";

bool exists(const char* path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

void print_diagnostics(const config::Loaded& loaded) {
  for (const config::Diagnostic& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.to_text());
  for (const config::Diagnostic& warning : loaded.warnings) fmt::print(stderr, "{}\n", warning.to_text());
}

void warn_of_other_default(config::Loaded& loaded) {
  if (exists(kDefaultConfig) || !exists(kOtherDefault)) return;
  loaded.warnings.push_back({.file = kOtherDefault,
                             .message = fmt::format("is not read by itself; rename it to {}, or say --config {}",
                                                    kDefaultConfig, kOtherDefault),
                             .warning = true});
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace fuseboard::cli
