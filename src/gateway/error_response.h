// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a caller is told when a call ended without an answer. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "gateway/header_policy.h"
#include "gateway/inability.h"
#include "gateway/upstream_error.h"
#include "llm/errors.h"
#include "net/http.h"

namespace fuseboard::gateway {

// A whole answer, ready to be sent.
struct Answer {
  net::ResponseHead head;
  std::string body;
};

// One of the gateway's own errors in the caller's dialect.
Answer gateway_error_response(llm::GatewayError error, std::string_view message, const ServedBy& served_by,
                              std::optional<std::string_view> param = std::nullopt);

// The answer for a call that ended in any way but success, interrupted or cancelled. `upstream` is the error of the
// record's telling attempt, nullptr where that attempt got no answer that can be shown. An upstream that refuses our
// credential is never shown as it is: its 401 would look like the caller's own [FBK-6]; `passthrough` says that it is
// the caller's own, `keyless` that there was none. `unable`: the targets that were not asked because the request cannot
// be said in their dialect.
struct FailureCircumstances {
  const UpstreamError* upstream = nullptr;
  std::span<const Inability> unable{};
  bool passthrough = false;
  bool keyless = false;
};
Answer failure_response(const CallRecord& record, const Plan& plan, const FailureCircumstances& circumstances,
                        const ServedBy& served_by);

// A request that is refused for what it says, in the caller's dialect.
Answer request_error_response(const llm::RequestError& error, const ServedBy& served_by);

// One line on how a call ended, for errors and logs: `provider "openai": no answer within 30s (3 attempts in 90010 ms;
// the last, on openai/gpt, ended with timeout)`; without what is in brackets' front where no cause is known.
std::string summary(const CallRecord& record, const Plan& plan);

}  // namespace fuseboard::gateway
