// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/route_context.h"

#include <optional>
#include <utility>

#include "gateway/error_response.h"

namespace fuseboard::gateway {

net::Task<void> refuse(RouteContext& context, llm::GatewayError error, std::string message, std::string param) {
  Answer answer = gateway_error_response(error, message, context.served_by(),
                                         param.empty() ? std::nullopt : std::optional<std::string_view>(param));
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

net::Task<void> refuse(RouteContext& context, llm::RequestError error) {
  Answer answer = request_error_response(error, context.served_by());
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

net::Task<void> respond(RouteContext& context, int status, std::string_view type, std::string body) {
  net::ResponseHead head{.status = status, .headers = {{"content-type", type}, {"x-request-id", context.request_id}}};
  co_await context.exchange.respond(std::move(head), std::move(body));
}

}  // namespace fuseboard::gateway
