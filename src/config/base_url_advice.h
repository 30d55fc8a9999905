// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Base URLs that are legal and hardly meant.
#pragma once

#include <optional>
#include <string>

#include "config/config.h"

namespace fuseboard::config {

// What is odd about it, for a warning: the path that its known host has is missing, or that of an endpoint is in it.
// nullopt: nothing.
std::optional<std::string> base_url_advice(const BaseUrl& url, Dialect dialect);

}  // namespace fuseboard::config
