// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One of the gateway's own errors as its caller reads it. Which error the caller of a failed call is told stands in
// failure_answer.h. Pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/core/time.h"
#include "gateway/header_policy.h"
#include "llm/errors.h"
#include "net/http.h"

namespace fuseboard::gateway {

// A whole answer, ready to be sent.
struct Answer {
  net::ResponseHead head;
  std::string body;
};

// In the caller's dialect.
Answer gateway_error_response(llm::GatewayError error, std::string_view message, const ServedBy& served_by,
                              std::optional<std::string_view> param = std::nullopt);

// A request that is refused for what it says, in the caller's dialect.
Answer request_error_response(const llm::RequestError& error, const ServedBy& served_by);

// SDKs retry by themselves; a wait above this is not one they should sit out.
inline constexpr Duration kLongestWorthwhileWait = std::chrono::seconds(60);

// When asking again is worth it, in seconds for everybody and in milliseconds for clients that know them; where the
// wait is too long, that SDKs should not.
void add_retry_after(net::Headers& headers, Duration wait);

// Tells SDKs not to retry by themselves.
void forbid_retry(net::Headers& headers);

}  // namespace fuseboard::gateway
