// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/routes.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "fuseboard/core/escape.h"
#include "fuseboard/core/ids.h"
#include "fuseboard/telemetry/exposition.h"
#include "gateway/access.h"
#include "gateway/admin.h"
#include "gateway/cause.h"
#include "gateway/credential_state.h"
#include "gateway/error_response.h"
#include "gateway/exposition.h"
#include "gateway/meant_path.h"
#include "gateway/model_routes.h"
#include "gateway/route_context.h"
#include "llm/errors.h"

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;
using Context = RouteContext;

net::Task<void> healthz(Context& context) { return respond(context, 200, "text/plain; charset=utf-8", "ok\n"); }

// Ready: not draining, and at least one target of one model would be admitted; without models, where callers name
// providers, at least one credential does not rest. What rests or refuses is named.
net::Task<void> readyz(Context& context) {
  constexpr std::string_view kType = "text/plain; charset=utf-8";
  constexpr std::size_t kMaxNamed = 20;
  if (context.services.draining.load(std::memory_order_relaxed)) return respond(context, 503, kType, "draining\n");
  const TimePoint now = context.loop_context.clock.now();
  std::string parts;
  const std::vector<CredentialState> states = credential_states(context.loop_context.models, now);
  for (const CredentialState& state : states) {
    for (const std::string& line : resting_texts(state)) parts += line + "\n";
  }
  std::set<std::string_view> closed;
  for (const auto& route : context.loop_context.models.routes()) {
    for (const Target& target : route->plan->targets()) {
      const auto why = why_closed(target, now);
      if (!why) return respond(context, 200, kType, "ready\n" + parts);
      if (closed.size() < kMaxNamed && closed.insert(target.name).second) {
        parts += escape_unprintable(target.name) + ": " + std::string(name(why->reason)) + "\n";
      }
    }
  }
  const bool all_rest = std::ranges::all_of(states, &CredentialState::parked) &&
                        states.size() == context.loop_context.models.providers().size();
  if (context.loop_context.models.routes().empty() && !all_rest) return respond(context, 200, kType, "ready\n" + parts);
  return respond(context, 503, kType, "no target is admitted\n" + parts);
}

net::Task<void> metrics(Context& context) {
  return respond(context, 200, telemetry::kExpositionContentType,
                 exposition({.build = context.services.build,
                             .models = context.loop_context.models,
                             .breakers = context.services.breakers,
                             .metrics = context.loop_context.metrics,
                             .now = context.loop_context.clock.now(),
                             .server = context.services.server_counters(),
                             .upkeep = context.services.upkeep()}));
}

net::Task<void> admin_state(Context& context) {
  if (auto problem =
          admin_problem(context.exchange.peer_address(), context.exchange.head().headers, context.services.access)) {
    return refuse(context, problem->error, std::move(problem->message));
  }
  return respond(context, 200, "application/json",
                 state_json({.clock = context.loop_context.clock,
                             .started = context.services.started,
                             .draining = context.services.draining.load(std::memory_order_relaxed),
                             .breakers = context.services.breakers,
                             .models = context.loop_context.models,
                             .metrics = context.loop_context.metrics,
                             .failures = context.loop_context.failures,
                             .server = context.services.server_counters()}));
}

// Why a request is not looked at any further.
std::optional<AccessProblem> problem_of(const Context& context) {
  const net::Headers& headers = context.exchange.head().headers;
  const auto origins = std::ranges::count_if(headers.begin(), headers.end(), [](const net::Header& header) {
    return net::equal_ignoring_case(header.name, "origin");
  });
  // Whoever else reads the request may go by the other one.
  if (origins > 1) return AccessProblem{.error = GatewayError::invalid_request, .message = "two Origin headers"};
  if (context.services.anonymous_anywhere) return std::nullopt;
  return host_problem(headers, context.services.access);
}

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

struct RouteEntry {
  std::string_view method;
  std::string_view path;
  bool prefix;  // the path goes on
  net::Task<void> (*serve)(Context&);
};

// The first that matches serves.
constexpr std::array<RouteEntry, 11> kRoutes = {{
    {"POST", "/v1/chat/completions", false, call_model},
    {"POST", "/v1/messages", false, call_model},
    {"POST", "/v1/messages/count_tokens", false, call_model},
    {"POST", "/v1/responses", false, call_model},
    {"POST", "/v1/embeddings", false, call_model},
    {"GET", "/v1/models", false, list_models},
    {"GET", "/v1/models/", true, show_model},
    {"GET", "/healthz", false, healthz},
    {"GET", "/readyz", false, readyz},
    {"GET", "/metrics", false, metrics},
    {"GET", "/admin/v1/state", false, admin_state},
}};

// What else is posted below /v1/ is relayed if its body names a model.
constexpr RouteEntry kAnyModelPath = {"POST", "/v1/", true, call_model};

bool matches(const RouteEntry& entry, std::string_view path) {
  return entry.prefix ? path.starts_with(entry.path) && path.size() > entry.path.size() : path == entry.path;
}

// Whether every server reads the path as it is written here: it goes to providers with the credentials for them, so it
// must not lead out of where they are meant for.
bool is_plain_path(std::string_view path) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_-.:@";
  return path.find_first_not_of(kAllowed) == std::string_view::npos && !path.contains("/.") && !path.contains("//");
}

}  // namespace

net::Task<void> handle(LoopContext& loop_context, const GatewayServices& services, net::ServerExchange& exchange) {
  const std::string_view path = net::split_target(exchange.head().target).path;
  Context context{.loop_context = loop_context,
                  .services = services,
                  .exchange = exchange,
                  .path = path,
                  .request_id = new_request_id(loop_context.rng),
                  .dialect = caller_dialect(path, exchange.head().headers)};
  if (auto problem = problem_of(context)) {
    co_await refuse(context, problem->error, std::move(problem->message));
    co_return;
  }
  if (wants_socket(exchange.head())) {
    co_await refuse_socket(context);
    co_return;
  }
  for (const RouteEntry& entry : kRoutes) {
    if (!matches(entry, context.path)) continue;
    // HEAD is GET without the body, which the server leaves out (RFC 9110 9.3.2).
    const std::string_view method = exchange.head().method == "HEAD" ? "GET" : std::string_view(exchange.head().method);
    if (method == entry.method) {
      co_await entry.serve(context);
      co_return;
    }
    Answer answer = gateway_error_response(GatewayError::method_not_allowed,
                                           "the method is not allowed here; allowed: " + std::string(entry.method),
                                           context.served_by());
    answer.head.headers.set("allow", entry.method == "GET" ? "GET, HEAD" : entry.method);
    co_await exchange.respond(std::move(answer.head), std::move(answer.body));
    co_return;
  }
  if (const auto meant = meant_path(context.path)) {
    co_await refuse(context, GatewayError::not_found,
                    "there is nothing at " + escape_unprintable(context.path) + "; it is at " + *meant);
    co_return;
  }
  if (matches(kAnyModelPath, context.path) && is_plain_path(context.path) &&
      exchange.head().method == kAnyModelPath.method) {
    co_await kAnyModelPath.serve(context);
    co_return;
  }
  co_await refuse(context, GatewayError::not_found,
                  "there is nothing at " + escape_unprintable(context.path.substr(0, 200)));
}

}  // namespace fuseboard::gateway
