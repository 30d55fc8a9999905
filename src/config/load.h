// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// From the text of fuseboard.yaml to a Config, or to everything that is wrong with it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/diagnostic.h"

namespace fuseboard::config {

// Looks up one variable for ${NAME}; nullopt where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The variables of this process. Not to be used while another thread calls setenv.
Environment process_environment();

// A config where, and only where, there are no problems.
struct Loaded {
  std::optional<Config> config;
  std::vector<Diagnostic> problems;    // in the order of the file; at most kMaxProblems, the last one then says so
  std::vector<Diagnostic> warnings{};  // what is legal and hardly meant, likewise ordered and bounded
};

inline constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxProblems = 500;

// Checks everything but the existence of files. `file_name` is for the diagnostics, and its folder is where relative
// paths begin. Never throws on account of the text.
Loaded parse(std::string_view text, std::string file_name, const Environment& environment);

// Reads the file at `path`, and checks that the files it names can be read.
Loaded load_file(const std::string& path, const Environment& environment);

}  // namespace fuseboard::config
