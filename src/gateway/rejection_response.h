// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the caller is told when the gateway's own limits, budgets and circuits let no attempt decide the call. Pure.
#pragma once

#include <optional>
#include <span>

#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "gateway/error_response.h"
#include "gateway/untranslatable.h"

namespace fuseboard::gateway {

// Of a call for which nothing was sent, or whose time ran out; nullopt: an attempt decided. `untranslatable`: the
// targets that were not asked because the request cannot be translated to their dialect.
std::optional<Answer> rejection_response(const CallRecord& record, const Plan& plan,
                                         std::span<const Untranslatable> untranslatable, const ServedBy& served_by);

}  // namespace fuseboard::gateway
