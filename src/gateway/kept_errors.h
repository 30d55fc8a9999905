// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The errors that upstreams told in a call, kept until it is known whether one of them is shown to the caller (see
// failure_answer.h).
#pragma once

#include <optional>

#include "fuseboard/pipeline/record.h"
#include "gateway/redactor.h"
#include "gateway/upstream_error.h"

namespace fuseboard::gateway {

// One call's.
class KeptErrors {
 public:
  // `secrets`: of the provider that told it.
  void keep(UpstreamError error, const Redactor& secrets);
  // Of the record's primary attempt; nullptr where that told none. The record must be complete.
  const UpstreamError* of(const CallRecord& record) const noexcept;

 private:
  // An error that is shown is one about the request, which ends the call, or the first that was answered.
  std::optional<UpstreamError> first_;
  std::optional<UpstreamError> last_;
};

}  // namespace fuseboard::gateway
