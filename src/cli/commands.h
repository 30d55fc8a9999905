// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The commands of the program, one file each. main.cc reads the arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/metrics_text.h"

namespace fuseboard::cli {

// Part of the program's contract.
enum ExitCode : int {
  kDone = 0,
  kWrong = 1,  // the thing checked or started is wrong
  kUsage = 2,
  kCannotReach = 3,
};

struct ServeArguments {
  std::optional<std::string> config;  // default: ./fuseboard.yaml if it exists, else the demo
  std::optional<std::string> listen;  // replaces the configuration's
};
int serve(const ServeArguments& arguments);

struct CheckArguments {
  std::optional<std::string> config;  // default: ./fuseboard.yaml
  bool json = false;
};
int check(const CheckArguments& arguments);

struct ClassifyArguments {
  std::optional<std::string> config;  // whose rules hold; default: none
  bool jsonl = false;                 // a case on every line; anything else gets an error in its place
  bool explain = false;
};
int classify(const ClassifyArguments& arguments);

struct SimProviderArguments {
  std::uint16_t port = 0;
  std::optional<std::string> faults;
  std::uint64_t seed = 1;
};
int sim_provider(const SimProviderArguments& arguments);

gateway::BuildInfo this_build() noexcept;

struct VersionArguments {
  bool json = false;
};
int version(const VersionArguments& arguments);

inline constexpr const char* kDefaultConfig = "fuseboard.yaml";

}  // namespace fuseboard::cli
