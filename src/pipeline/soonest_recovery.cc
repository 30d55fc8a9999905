// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "pipeline/soonest_recovery.h"

#include <algorithm>

namespace fuseboard {
namespace {

// Whether time alone takes it away, on the target's side and without anybody in line.
bool passes_by_itself(RejectionReason reason) noexcept {
  return reason == RejectionReason::circuit_open || reason == RejectionReason::half_open_busy ||
         reason == RejectionReason::credential_parked;
}

bool waits_for_a_probe(TimePoint now, const Target& target, const Rejection& rejection) {
  if (rejection.reason == RejectionReason::half_open_busy) return true;
  const CredentialGate* const credential = target.state->credential();
  return rejection.reason == RejectionReason::credential_parked && credential != nullptr &&
         credential->snapshot(now).probe_in_flight;
}

std::optional<Duration> recovery_of(TimePoint now, const Target& target, const RejectionRecord& rejection,
                                    const AdmissionRequest& request) {
  if (!passes_by_itself(rejection.reason)) return rejection.retry_after;
  const std::optional<Rejection> in_the_way = peek_rejection(now, target, request);
  if (!in_the_way) return Duration::zero();
  if (!in_the_way->retry_after || !waits_for_a_probe(now, target, *in_the_way)) return in_the_way->retry_after;
  return std::min(*in_the_way->retry_after, kProbeTakes);
}

}  // namespace

std::optional<Duration> soonest_recovery(TimePoint now, const Plan& plan, const CallRecord& record,
                                         AdmissionRequest request, const Eligibility* eligibility) {
  std::optional<Duration> soonest;
  for (const RejectionRecord& rejection : record.rejections) {
    if (eligibility != nullptr) request.endpoint = eligibility->endpoint_at(rejection.target);
    const auto wait = recovery_of(now, plan.targets()[rejection.target], rejection, request);
    if (wait && (!soonest || *wait < *soonest)) soonest = wait;
  }
  return soonest;
}

}  // namespace fuseboard
