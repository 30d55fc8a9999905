// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/error_response.h"

#include <cstdint>

namespace fuseboard::gateway {

Answer gateway_error_response(llm::GatewayError error, std::string_view message, const ServedBy& served_by,
                              std::optional<std::string_view> param) {
  Answer answer{.head = {.status = llm::info(error).status, .headers = {}},
                .body = llm::error_body(served_by.dialect, error, message, param.value_or(""), served_by.request_id)};
  answer.head.headers.add("content-type", "application/json");
  add_served_by(answer.head.headers, served_by);
  return answer;
}

Answer request_error_response(const llm::RequestError& error, const ServedBy& served_by) {
  Answer answer{.head = {.status = llm::info(llm::GatewayError::invalid_request).status, .headers = {}},
                .body = llm::error_body(served_by.dialect, error, served_by.request_id)};
  answer.head.headers.add("content-type", "application/json");
  add_served_by(answer.head.headers, served_by);
  return answer;
}

void add_retry_after(net::Headers& headers, Duration wait) {
  const std::int64_t milliseconds = ceil_milliseconds(wait);
  headers.set("retry-after", std::to_string((milliseconds + 999) / 1000));
  headers.set("retry-after-ms", std::to_string(milliseconds));
  if (wait > kLongestWorthwhileWait) forbid_retry(headers);
}

void forbid_retry(net::Headers& headers) { headers.set("x-should-retry", "false"); }

}  // namespace fuseboard::gateway
