// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a route's function gets, and the short answers that all of them give.
#pragma once

#include <string>
#include <string_view>

#include "fuseboard/core/ids.h"
#include "gateway/header_policy.h"
#include "gateway/loop_context.h"
#include "gateway/route_table.h"
#include "gateway/routes.h"
#include "llm/dialect.h"
#include "llm/errors.h"
#include "net/server.h"
#include "net/task.h"

namespace fuseboard::gateway {

struct RouteContext {
  LoopContext& loop_context;
  const GatewayServices& services;
  net::ServerExchange& exchange;
  std::string_view path;  // of the exchange's head, which stays as it is until the handler ends
  RequestId request_id;
  llm::Dialect dialect = llm::Dialect::openai;  // of answers
  RouteParameters parameters{};                 // of the path

  ServedBy served_by() const {
    return {.request_id = request_id, .target = {}, .demo = loop_context.demo, .dialect = dialect};
  }
};

// One of the gateway's own errors.
net::Task<void> refuse(RouteContext& context, llm::GatewayError error, std::string message, std::string param = {});
// A request that is wrong in what it says.
net::Task<void> refuse(RouteContext& context, llm::RequestError error);

net::Task<void> respond(RouteContext& context, int status, std::string_view type, std::string body);

}  // namespace fuseboard::gateway
