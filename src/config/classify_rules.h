// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The rules that a user adds to the classifier, as the file writes them.
#pragma once

#include "config/reader.h"
#include "fuseboard/classify/user_rules.h"

namespace fuseboard::config {

// Reads the map below `classify`. Problems are reported; where there are any, the result is not to be used.
UserRules read_classify_rules(const Cursor& cursor);

}  // namespace fuseboard::config
