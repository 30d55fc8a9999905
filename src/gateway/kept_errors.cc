// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/kept_errors.h"

#include <utility>

namespace fuseboard::gateway {

void KeptErrors::keep(UpstreamError error, const Redactor& secrets) {
  secrets.redact(error.body);
  secrets.redact(error.head.headers);
  (first_ ? last_ : first_) = std::move(error);
}

const UpstreamError* KeptErrors::of(const CallRecord& record) const noexcept {
  for (const auto* error : {&first_, &last_}) {
    if (*error && record.primary_attempt == (*error)->attempt) return &**error;
  }
  return nullptr;
}

}  // namespace fuseboard::gateway
