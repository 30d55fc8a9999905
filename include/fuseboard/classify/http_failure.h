// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a failed HTTP answer means.
#pragma once

#include <string_view>

#include "fuseboard/classify/hints.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard {

// The parts of a failed answer that decide. The views are read during the call alone; what an answer does not have
// stays empty.
struct HttpFailure {
  int status = 0;                    // as received; 200 for an error object inside a 2xx answer or a stream
  std::string_view error_code{};     // `error.code`; a number as its digits
  std::string_view error_type{};     // `error.type`
  std::string_view error_message{};  // the provider's own message, not echoed input
  RetryHints hints{};
};

// Judges in this order: the status gives the class; a recognised code or type refines or overrides it; else a phrase
// that opens the message refines it within its class. Texts that say nothing ("server_error", "invalid_request_error",
// the status once more as a number) never override. An error inside a 2xx is judged by its code, and without one it is
// the server's fault. `x-should-retry` sets `retryable` alone. Never throws, allocates nothing.
Failure classify_http(const HttpFailure& failure) noexcept;

}  // namespace fuseboard
