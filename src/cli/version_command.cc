// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/build_info.h"
#include "cli/commands.h"

namespace fuseboard::cli {

namespace {

constexpr std::string_view kCompiler = "clang " __clang_version__;

}  // namespace

gateway::BuildInfo this_build() noexcept {
  return {.version = FUSEBOARD_VERSION, .commit = kCommit, .compiler = kCompiler};
}

int version(const VersionArguments& arguments) {
  constexpr std::array<std::string_view, 5> kFeatures = {"openai-chat", "openai-responses", "openai-embeddings",
                                                         "anthropic-messages", "tls"};
  if (arguments.json) {
    const nlohmann::ordered_json report = {
        {"version", FUSEBOARD_VERSION}, {"commit", kCommit}, {"compiler", kCompiler}, {"features", kFeatures}};
    fmt::print("{}\n", report.dump(2));
  } else {
    fmt::print("fuseboard {}\ncommit   {}\ncompiler {}\nfeatures {}\n", FUSEBOARD_VERSION, kCommit, kCompiler,
               fmt::join(kFeatures, ", "));
  }
  return kDone;
}

}  // namespace fuseboard::cli
