// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A model's cache as the file writes it.
#pragma once

#include "config/config.h"
#include "config/reader.h"

namespace fuseboard::config {

CacheConfig read_cache(const Cursor& cursor);

}  // namespace fuseboard::config
