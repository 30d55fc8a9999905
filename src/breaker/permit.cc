// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/breaker/permit.h"

#include "fuseboard/breaker/circuit_breaker.h"

namespace fuseboard {

void BreakerPermit::abandon() noexcept { breaker_.take()->abandon(ticket_, acquired_.unwinding()); }

void BreakerPermit::release() && noexcept {
  if (CircuitBreaker* const breaker = breaker_.take()) breaker->abandon(ticket_, false);
}

void BreakerPermit::first_content(Duration latency) {
  if (!breaker_) return;
  latency = breaker_->latency_of(ticket_, latency);
  if (ticket_.began != kNotMeasured && ticket_.first_content == kNotShown) ticket_.first_content = latency;
  if (is_probe()) ticket_ = breaker_->first_content(ticket_, latency);
}

void BreakerPermit::answered() {
  if (breaker_) ticket_ = breaker_->answered(ticket_);
}

void BreakerPermit::overtaken() && {
  if (CircuitBreaker* const breaker = breaker_.take()) breaker->overtaken(ticket_);
}

}  // namespace fuseboard
