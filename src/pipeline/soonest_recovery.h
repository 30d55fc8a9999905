// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>

#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/admission.h"
#include "fuseboard/pipeline/execution.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard {

// After how long one of the targets that refused the call is first worth asking again, as they stand now: what they
// said when they refused may be long ago. nullopt: nobody knows. Of probes in flight nobody knows how long they will
// take: not as long as their lease, which is for those that never come back, but about kProbeTakes.
inline constexpr Duration kProbeTakes = std::chrono::seconds(1);
// `eligibility` tells the endpoint of each; null: the first of all.
std::optional<Duration> soonest_recovery(TimePoint now, const Plan& plan, const CallRecord& record,
                                         AdmissionRequest request, const Eligibility* eligibility);

}  // namespace fuseboard
