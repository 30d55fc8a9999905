// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Usage that is told wrongly.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/planned_fault.h"

namespace fuseboard::sim {

// The counts of a usage object in that form; null where it is not told.
nlohmann::ordered_json told(nlohmann::ordered_json usage, UsageForm form);

// The library that writes the JSON has no say in how it spells numbers: exponents are written as marked texts first,
// and this makes numbers of them.
void spell_exponents(std::string& json);

}  // namespace fuseboard::sim
