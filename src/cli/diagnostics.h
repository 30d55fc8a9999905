// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What commands say of a configuration.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/load.h"

namespace fuseboard::cli {

// Problems and warnings, a line each, on stderr.
void print_diagnostics(const config::Loaded& loaded);

// Adds a warning where the default file is missing and one with the other ending stands in its place: it is not read.
void warn_of_other_default(config::Loaded& loaded);

// "1 model", "2 models".
std::string counted(std::size_t count, std::string_view what);

}  // namespace fuseboard::cli
