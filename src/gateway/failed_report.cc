// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/failed_report.h"

#include "gateway/transport_fault.h"

namespace fuseboard::gateway {

AttemptReport failed_report(TransportFault fault) {
  AttemptReport report = AttemptReport::failed(classify_transport(fault));
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
