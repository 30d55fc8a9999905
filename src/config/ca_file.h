// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Files of certificate authorities.
#pragma once

#include <optional>
#include <string>

namespace fuseboard::config {

// Why no authority could be trusted by this PEM file; nullopt: it holds at least one certificate that can be read.
std::optional<std::string> ca_file_problem(const std::string& path);

}  // namespace fuseboard::config
