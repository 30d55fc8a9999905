// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Why a target cannot take a call: the request cannot be translated to its dialect.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "fuseboard/pipeline/plan.h"
#include "llm/request.h"

namespace fuseboard::gateway {

struct Untranslatable {
  std::uint32_t target = 0;  // index into the plan's
  llm::RequestError error;   // names the field
};

// "anthropic/claude: logit_bias has no counterpart (logit_bias)".
std::string to_text(const Untranslatable& untranslatable, const Plan& plan);
// Joined by "; "; empty where there is none.
std::string to_text(std::span<const Untranslatable> untranslatable, const Plan& plan);
// To be added to what is said otherwise: "; not asked: " and the above; empty where there is none.
std::string note_of(std::span<const Untranslatable> untranslatable, const Plan& plan);

}  // namespace fuseboard::gateway
