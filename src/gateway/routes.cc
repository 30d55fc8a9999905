// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "fuseboard/core/ids.h"
#include "fuseboard/telemetry/exposition.h"
#include "gateway/admin.h"
#include "gateway/chat_relay.h"
#include "gateway/exposition.h"
#include "llm/errors.h"
#include "llm/request.h"

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;

// What one route's function gets.
struct Context {
  Worker& worker;
  const Shared& shared;
  net::ServerExchange& exchange;
  std::string_view path;
  std::string request_id;

  ServedBy served_by() const { return {.request_id = request_id, .target = {}, .demo = worker.demo}; }
};

net::Task<void> refuse(Context& context, GatewayError error, std::string message, std::string param = {}) {
  Answer answer = own_error(error, message, context.served_by(),
                            param.empty() ? std::nullopt : std::optional<std::string_view>(param));
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

net::Task<void> respond(Context& context, int status, std::string_view type, std::string body) {
  net::ResponseHead head{.status = status, .headers = {{"content-type", type}, {"x-request-id", context.request_id}}};
  co_await context.exchange.respond(std::move(head), std::move(body));
}

// The caller's own wishes for a call, from its x-fuseboard-* headers.
std::expected<CallOptions, llm::RequestError> call_options(const net::Headers& headers, bool streaming, TimePoint now) {
  CallOptions options{.streaming = streaming};
  if (const auto text = headers.find("x-fuseboard-deadline-ms")) {
    constexpr std::int64_t kLongest = 24 * 60 * 60 * 1000;
    std::int64_t milliseconds = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), milliseconds);
    if (error != std::errc() || end != text->data() + text->size() || milliseconds < 1 || milliseconds > kLongest) {
      return std::unexpected(llm::RequestError{.message = "x-fuseboard-deadline-ms: '" +
                                                          std::string(text->substr(0, 40)) +
                                                          "' is not allowed; allowed: 1 to " + std::to_string(kLongest),
                                               .param = "x-fuseboard-deadline-ms",
                                               .code = {}});
    }
    options.deadline = Deadline::after(now, std::chrono::milliseconds(milliseconds));
  }
  if (const auto text = headers.find("x-fuseboard-idempotent")) {
    if (*text != "true" && *text != "false") {
      return std::unexpected(llm::RequestError{
          .message =
              "x-fuseboard-idempotent: '" + std::string(text->substr(0, 40)) + "' is not allowed; allowed: true, false",
          .param = "x-fuseboard-idempotent",
          .code = {}});
    }
    options.idempotent = *text == "true";
  }
  return options;
}

net::Task<void> refuse(Context& context, const llm::RequestError& error) {
  net::ResponseHead head{.status = 400, .headers = {{"content-type", "application/json"}}};
  add_served_by(head.headers, context.served_by());
  const auto or_null = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  co_await context.exchange.respond(std::move(head), llm::openai_error_body(error.message, "invalid_request_error",
                                                                            or_null(error.param), or_null(error.code)));
}

net::Task<void> refuse_body(Context& context, net::BodyError error) {
  switch (error) {
    case net::BodyError::too_large:
      co_await refuse(context, GatewayError::request_too_large, "the request body is longer than max_body allows");
      break;
    case net::BodyError::malformed:
      co_await refuse(context, GatewayError::invalid_request, "the request body's chunked coding is broken");
      break;
    case net::BodyError::timeout:
      co_await refuse(context, GatewayError::request_timeout, "the request body did not arrive in time");
      break;
    case net::BodyError::gone:
      context.exchange.abort();
      break;
  }
}

net::Task<void> chat_completions(Context& context) {
  auto body = co_await context.exchange.read_body();
  if (!body) {
    co_await refuse_body(context, body.error());
    co_return;
  }
  auto request = llm::parse_chat_request(*body);
  if (!request) {
    co_await refuse(context, request.error());
    co_return;
  }
  const auto options = call_options(context.exchange.head().headers, request->stream, context.worker.clock.now());
  if (!options) {
    co_await refuse(context, options.error());
    co_return;
  }
  auto route = context.worker.models.find(request->model);
  if (route == nullptr) {
    co_await refuse(context, GatewayError::model_not_found,
                    "the model '" + request->model.substr(0, 200) +
                        "' is neither configured nor of the form provider/model; see GET /v1/models",
                    "model");
    co_return;
  }
  ChatRelay relay(context.worker, context.exchange,
                  {.route = std::move(route),
                   .request = *std::move(request),
                   .body = *std::move(body),
                   .request_id = context.request_id,
                   .options = *options});
  co_await relay.run();
}

llm::ModelEntry entry_of(const Route& route) { return {.id = route.name, .owned_by = "fuseboard"}; }

net::Task<void> models(Context& context) {
  std::vector<llm::ModelEntry> entries;
  for (const auto& route : context.worker.models.routes()) entries.push_back(entry_of(*route));
  co_await respond(context, 200, "application/json", llm::openai_models_body(entries));
}

net::Task<void> one_model(Context& context) {
  constexpr std::string_view kPrefix = "/v1/models/";
  const auto id = net::percent_decode(context.path.substr(kPrefix.size()));
  for (const auto& route : context.worker.models.routes()) {
    if (!id || route->name != *id) continue;
    co_await respond(context, 200, "application/json", llm::openai_model_body(entry_of(*route)));
    co_return;
  }
  co_await refuse(context, GatewayError::model_not_found, "no model of that name is configured; see GET /v1/models",
                  "model");
}

net::Task<void> healthz(Context& context) { return respond(context, 200, "text/plain; charset=utf-8", "ok\n"); }

// Ready: not draining, and at least one target of one model would be admitted.
net::Task<void> readyz(Context& context) {
  constexpr std::string_view kType = "text/plain; charset=utf-8";
  if (context.shared.draining.load(std::memory_order_relaxed)) return respond(context, 503, kType, "draining\n");
  for (const auto& route : context.worker.models.routes()) {
    const auto& targets = route->plan->targets();
    const bool admits =
        std::any_of(targets.begin(), targets.end(), [](const Target& t) { return !t.state->breakers().look(); });
    if (admits) return respond(context, 200, kType, "ready\n");
  }
  return respond(context, 503, kType, "no target is admitted\n");
}

net::Task<void> metrics(Context& context) {
  return respond(context, 200, telemetry::kExpositionContentType,
                 exposition(context.worker.models, context.shared.breakers, context.worker.metrics,
                            context.shared.server_counters()));
}

net::Task<void> admin_state(Context& context) {
  if (!may_administrate(context.exchange.peer_address(), context.exchange.head().headers)) {
    return refuse(context, GatewayError::unauthorized, "the admin API answers on loopback only");
  }
  return respond(context, 200, "application/json",
                 state_json({.clock = context.worker.clock,
                             .started = context.shared.started,
                             .draining = context.shared.draining.load(std::memory_order_relaxed),
                             .breakers = context.shared.breakers,
                             .models = context.worker.models,
                             .metrics = context.worker.metrics,
                             .server = context.shared.server_counters()}));
}

struct RouteEntry {
  std::string_view method;
  std::string_view path;
  bool prefix;  // the path goes on
  net::Task<void> (*serve)(Context&);
};

constexpr std::array<RouteEntry, 7> kRoutes = {{
    {"POST", "/v1/chat/completions", false, chat_completions},
    {"GET", "/v1/models", false, models},
    {"GET", "/v1/models/", true, one_model},
    {"GET", "/healthz", false, healthz},
    {"GET", "/readyz", false, readyz},
    {"GET", "/metrics", false, metrics},
    {"GET", "/admin/v1/state", false, admin_state},
}};

bool matches(const RouteEntry& entry, std::string_view path) {
  return entry.prefix ? path.starts_with(entry.path) && path.size() > entry.path.size() : path == entry.path;
}

}  // namespace

net::Task<void> handle(Worker& worker, const Shared& shared, net::ServerExchange& exchange) {
  const std::string target = exchange.head().target;
  Context context{.worker = worker,
                  .shared = shared,
                  .exchange = exchange,
                  .path = net::split_target(target).path,
                  .request_id = new_request_id(worker.rng)};
  if (!shared.anonymous_anywhere && !is_local_request(exchange.head().headers)) {
    co_await refuse(
        context, GatewayError::unauthorized,
        "without keys the gateway answers requests to a loopback name, from no foreign origin; set allow_anonymous: "
        "true to let others in");
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
    Answer answer =
        own_error(GatewayError::method_not_allowed,
                  "the method is not allowed here; allowed: " + std::string(entry.method), context.served_by());
    answer.head.headers.set("allow", entry.method == "GET" ? "GET, HEAD" : entry.method);
    co_await exchange.respond(std::move(answer.head), std::move(answer.body));
    co_return;
  }
  co_await refuse(context, GatewayError::not_found, "there is nothing at " + std::string(context.path.substr(0, 200)));
}

}  // namespace fuseboard::gateway
