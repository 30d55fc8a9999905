// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/attempt_report.h"

#include "gateway/transport_fault.h"

namespace fuseboard::gateway {

AttemptReport failed_report(const Failure& failure, bool answered) {
  // A rate limit refuses before the request is handled.
  return {.outcome = Outcome::failed(failure),
          .answered = answered,
          .may_have_run = failure.category != Category::rate_limit};
}

AttemptReport failed_report(TransportFault fault) {
  AttemptReport report = failed_report(classify_transport(fault), false);
  report.silent = is_silence(fault);
  return report;
}

AttemptReport failed_report(const net::TransportError& error) {
  const TransportFault fault = fault_of(error);
  AttemptReport report = failed_report(fault);
  report.connected = was_connected(fault);
  report.may_have_run = error.request_may_have_run;
  if (error.ours) report.outcome.failure->evidence = Evidence::does_not_count;
  return report;
}

}  // namespace fuseboard::gateway
