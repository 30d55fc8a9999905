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

bool waits_for_a_probe(const Target& target, const Rejection& rejection, TimePoint now) {
  if (rejection.reason == RejectionReason::half_open_busy) return true;
  const CredentialGate* const credential = target.state->credential();
  return rejection.reason == RejectionReason::credential_parked && credential != nullptr &&
         credential->snapshot(now).probe_in_flight;
}

std::optional<Duration> recovery_of(const Target& target, const RejectionRecord& rejection,
                                    const AdmissionRequest& request, TimePoint now) {
  if (!passes_by_itself(rejection.reason)) return rejection.retry_after;
  const std::optional<Rejection> in_the_way = peek_rejection(target, request, now);
  if (!in_the_way) return Duration::zero();
  if (!in_the_way->retry_after || !waits_for_a_probe(target, *in_the_way, now)) return in_the_way->retry_after;
  return std::min(*in_the_way->retry_after, kProbeTakes);
}

}  // namespace

std::optional<Duration> soonest_recovery(const Plan& plan, const CallRecord& record, AdmissionRequest request,
                                         const Eligibility* eligibility, TimePoint now) {
  std::optional<Duration> soonest;
  for (const RejectionRecord& rejection : record.rejections) {
    if (eligibility != nullptr) request.endpoint = eligibility->endpoint_at(rejection.target);
    const auto wait = recovery_of(plan.targets()[rejection.target], rejection, request, now);
    if (wait && (!soonest || *wait < *soonest)) soonest = wait;
  }
  return soonest;
}

}  // namespace fuseboard
