// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/routes.h"

#include <utility>
#include <vector>

#include "fuseboard/core/escape.h"
#include "fuseboard/core/ids.h"
#include "gateway/access.h"
#include "gateway/admin_routes.h"
#include "gateway/error_response.h"
#include "gateway/meant_path.h"
#include "gateway/model_paths.h"
#include "gateway/model_routes.h"
#include "gateway/monitoring_routes.h"
#include "gateway/route_context.h"
#include "llm/errors.h"

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;
using Context = RouteContext;

// A client of the Responses API asks for a WebSocket first, and falls back to HTTP where it hears of one at once.
bool wants_socket(const net::RequestHead& head) {
  return head.method == "GET" && net::split_target(head.target).path.starts_with("/v1/") &&
         head.headers.has_token("upgrade", "websocket");
}

net::Task<void> refuse_socket(Context& context) {
  Answer answer = gateway_error_response(GatewayError::upgrade_required,
                                         "there is no WebSocket here; POST over HTTP/1.1 instead", context.served_by());
  answer.head.headers.set("upgrade", "HTTP/1.1");  // RFC 9110 15.5.22
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

// Whether every server reads the path as it is written here: it goes to providers with the credentials for them, so it
// must not lead out of where they are meant for.
bool is_plain_path(std::string_view path) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.:@";
  return path.find_first_not_of(kAllowed) == std::string_view::npos && !path.contains("/.") && !path.contains("//");
}

// What else is posted below /v1/ is relayed if its body names a model.
bool may_name_a_model(const Context& context) {
  constexpr std::string_view kBelow = "/v1/";
  return context.exchange.head().method == "POST" && context.path.starts_with(kBelow) &&
         context.path.size() > kBelow.size() && is_plain_path(context.path);
}

net::Task<void> refuse_method(Context& context, const RouteTable::Match& match) {
  Answer answer = gateway_error_response(GatewayError::method_not_allowed,
                                         "the method is not allowed here; allowed: " + std::string(match.methods),
                                         context.served_by());
  answer.head.headers.set("allow", match.allow);
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

}  // namespace

const RouteTable& route_table() {
  static const RouteTable table = [] {
    std::vector<RouteEntry> entries = {{"GET", "/v1/models", list_models}, {"GET", "/v1/models/{model...}", show_model},
                                       {"GET", "/healthz", healthz},       {"GET", "/readyz", readyz},
                                       {"GET", "/metrics", metrics},       {"GET", "/admin/v1/state", admin_state}};
    for (const ModelPath& model : kModelPaths) {
      if (model.endpoint != llm::Endpoint::other) entries.push_back({"POST", model.path, call_model});
    }
    return RouteTable(entries);
  }();
  return table;
}

net::Task<void> handle(LoopContext& loop_context, const GatewayServices& services, net::ServerExchange& exchange) {
  const std::string_view path = net::split_target(exchange.head().target).path;
  Context context{.loop_context = loop_context,
                  .services = services,
                  .exchange = exchange,
                  .path = path,
                  .request_id = new_request_id(loop_context.rng),
                  .dialect = caller_dialect(path, exchange.head().headers)};
  if (auto problem = caller_problem(exchange.head().headers, services.access)) {
    co_await refuse(context, problem->error, std::move(problem->message));
  } else if (wants_socket(exchange.head())) {
    co_await refuse_socket(context);
  } else if (const auto match = route_table().find(exchange.head().method, path)) {
    if (match->serve == nullptr) {
      co_await refuse_method(context, *match);
      co_return;
    }
    context.parameters = match->parameters;
    co_await match->serve(context);
  } else if (const auto meant = meant_path(path, route_table())) {
    co_await refuse(context, GatewayError::not_found,
                    "there is nothing at " + escape_unprintable(path) + "; it is at " + *meant);
  } else if (may_name_a_model(context)) {
    co_await call_model(context);
  } else {
    co_await refuse(context, GatewayError::not_found, "there is nothing at " + escape_unprintable(path.substr(0, 200)));
  }
}

}  // namespace fuseboard::gateway
