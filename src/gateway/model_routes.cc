// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_routes.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "fuseboard/budget/estimate.h"
#include "fuseboard/core/ids.h"
#include "gateway/call_headers.h"
#include "gateway/error_response.h"
#include "gateway/hops.h"
#include "gateway/model_paths.h"
#include "gateway/relay.h"
#include "llm/request.h"
#include "net/content_coding.h"

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;

net::Task<void> refuse_body(RouteContext& context, net::BodyError error) {
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
    case net::BodyError::no_memory:
      co_await refuse(context, GatewayError::overloaded,
                      "the bodies of other requests have all the memory that max_body_memory allows");
      break;
    case net::BodyError::gone:
      context.exchange.abort();
      break;
  }
}

// Once refused, always refused: another try would only come round again.
net::Task<void> refuse_loop(RouteContext& context, const HopLoop& loop) {
  std::string why = "the request has come through " + std::to_string(kMaxHops) + " gateways, the maximum";
  const auto provider = loop.provider ? context.loop_context.provider_ids.name_of(*loop.provider) : std::nullopt;
  if (provider) {
    why =
        "the provider '" + *provider + "' leads back to this gateway; its base_url must be the provider's own address";
  }
  Answer answer = gateway_error_response(GatewayError::loop_detected, why, context.served_by());
  forbid_retry(answer.head.headers);
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

net::Task<void> refuse_encoding(RouteContext& context, const net::UnknownCoding& coding) {
  const std::string what = coding.name.empty() ? "is in more than " + std::to_string(net::kMaxCodings) + " encodings"
                                               : "has the content-encoding '" + coding.name.substr(0, 40) + "'";
  Answer answer = gateway_error_response(
      GatewayError::unsupported_encoding,
      "the request body " + what + "; allowed: " + std::string(net::kAcceptedCodings), context.served_by());
  answer.head.headers.set("accept-encoding", net::kAcceptedCodings);  // RFC 9110 15.5.16
  co_await context.exchange.respond(std::move(answer.head), std::move(answer.body));
}

// Without its content codings; nullopt: it was refused.
net::Task<std::optional<net::Body>> read_plain_body(RouteContext& context) {
  auto codings = net::content_codings(context.exchange.head().headers);
  if (!codings) {
    co_await refuse_encoding(context, codings.error());
    co_return std::nullopt;
  }
  auto body = co_await context.exchange.read_body();
  if (!body) {
    co_await refuse_body(context, body.error());
    co_return std::nullopt;
  }
  if (codings->empty()) co_return *std::move(body);
  net::BodyMemory::Share share = std::move(body->share());
  const TimePoint by = saturating_add(context.loop_context.loop.now(), net::ClientExchange::kMemoryWait);
  auto plain = co_await net::decode_content(context.loop_context.loop, *std::move(codings), std::string(body->view()),
                                            context.services.max_body, {.share = &share, .by = by});
  if (plain) {
    net::Body decoded(std::move(share));
    decoded.append(*plain);
    co_return std::move(decoded);
  }
  if (plain.error() == net::DecodeError::too_large) {
    co_await refuse_body(context, net::BodyError::too_large);
  } else if (plain.error() == net::DecodeError::no_memory) {
    co_await refuse_body(context, net::BodyError::no_memory);
  } else {
    co_await refuse(context, GatewayError::invalid_request, "the request body is not what its content-encoding says");
  }
  co_return std::nullopt;
}

// Of the route's targets, the first that speaks the dialect.
std::optional<ProviderId> first_speaking(const Route& route, llm::Dialect dialect) {
  for (const Upstream& upstream : route.upstreams) {
    if (upstream.provider->dialect == dialect) return upstream.provider->id;
  }
  return std::nullopt;
}

// The one provider that can have the state which a request refers to [FBK-7]: the one that made it, where that passed
// by here; else the one that such requests go to first.
std::optional<std::uint32_t> provider_with_state(const LoopContext& loop_context, const ModelCall& call) {
  if (!call.facts.bound()) return std::nullopt;
  auto provider = loop_context.provider_affinity.find(call.facts.previous_response_id);
  if (!provider) provider = first_speaking(*call.route, call.dialect);
  if (!provider) return std::nullopt;
  return std::to_underlying(*provider);
}

// What one attempt will use: images are not read as text, and some endpoints write none.
TokenUsage estimate(const ModelCall& call) {
  const bool writes = call.endpoint != llm::Endpoint::count_tokens && call.endpoint != llm::Endpoint::embeddings;
  const llm::InlineData& data = call.facts.inline_data;
  TokenUsage usage = estimate_usage(
      {.text_bytes = call.body.size() - data.bytes, .images = data.items, .output_cap = call.facts.output_cap});
  if (!writes) usage.output = 0;
  const std::uint64_t choices = std::max<std::uint64_t>(call.facts.choices, 1);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  usage.output = usage.output > kMax / choices ? kMax : usage.output * choices;
  return usage;
}

// Nobody who answers this model counts tokens: the gateway's own guess, marked as one.
net::Task<void> estimate_tokens(RouteContext& context, const ModelCall& call) {
  const TokenUsage guess = estimate(call);
  net::ResponseHead head{.status = 200, .headers = {{"content-type", "application/json"}}};
  add_served_by(head.headers, context.served_by());
  head.headers.add("x-fuseboard-estimate", "1");
  co_await context.exchange.respond(std::move(head), R"({"input_tokens":)" + std::to_string(guess.input) + "}");
}

net::Task<void> relay(RouteContext& context, ModelCall& call) {
  LoopContext& loop_context = context.loop_context;
  if (call.endpoint == llm::Endpoint::count_tokens && !first_speaking(*call.route, call.dialect)) {
    return estimate_tokens(context, call);
  }
  call.options.id = CallId(context.request_id);
  call.options.origin = {.dialect = llm::name(call.dialect), .endpoint = call.path};
  call.options.ledger = &loop_context.ledger;
  call.options.estimate = estimate(call);
  call.options.bound_to_provider = provider_with_state(loop_context, call);
  return relay_call(loop_context, context.exchange, call);
}

llm::ModelEntry entry_of(const Route& route) { return {.id = route.name, .owned_by = "fuseboard"}; }

}  // namespace

llm::Dialect caller_dialect(std::string_view path, const net::Headers& headers) noexcept {
  if (const auto dialect = llm::dialect_of(model_path(path).endpoint)) return *dialect;
  for (const llm::Dialect dialect : llm::kDialects) {
    const std::string_view version_header = llm::traits(dialect).version_header;
    if (!version_header.empty() && headers.contains(version_header)) return dialect;
  }
  for (const llm::Dialect dialect : llm::kDialects) {
    const std::string_view chat = llm::traits(dialect).chat_path;
    if (path.starts_with(chat) && path.substr(chat.size()).starts_with('/')) return dialect;
  }
  return llm::Dialect::openai;
}

net::Task<void> call_model(RouteContext& context) {
  if (const auto loop = find_loop(context.exchange.head().headers, context.loop_context.instance)) {
    co_await refuse_loop(context, *loop);
    co_return;
  }
  const TimePoint began = context.loop_context.clock.now();  // callers count the time that their body takes, too
  auto body = co_await read_plain_body(context);
  if (!body) co_return;
  const ModelPath asked = model_path(context.path);
  const auto read = [&] { return llm::parse_request(asked.endpoint, *body); };
  auto facts = body->size() > kMaxReadOnLoop
                   ? co_await net::run_aside(context.loop_context.loop, context.loop_context.aside, read)
                   : read();
  if (!facts) {
    co_await refuse(context, std::move(facts.error()));
    co_return;
  }
  auto options = read_call_options(context.exchange.head().headers, began,
                                   {.idempotent = asked.idempotent, .streaming = facts->stream});
  if (!options) {
    co_await refuse(context, std::move(options.error()));
    co_return;
  }
  const std::shared_ptr<const Routing> routing = context.loop_context.routing;
  auto route = routing->find(facts->model);
  if (route == nullptr) route = context.loop_context.direct_routes.find(routing, facts->model);
  if (route == nullptr) {
    co_await refuse(context, GatewayError::model_not_found,
                    "the model '" + facts->model.substr(0, 200) +
                        "' is not configured, nor is it a configured provider's name, a slash and its model; see GET "
                        "/v1/models",
                    "model");
    co_return;
  }
  ModelCall call{.endpoint = asked.endpoint,
                 .dialect = context.dialect,
                 .path = context.path,
                 .routing = routing,
                 .route = std::move(route),
                 .facts = *std::move(facts),
                 .body = *std::move(body),
                 .request_id = context.request_id,
                 .options = *options};
  co_await relay(context, call);
}

net::Task<void> list_models(RouteContext& context) {
  std::vector<llm::ModelEntry> entries;
  for (const auto& route : context.loop_context.routing->routes()) entries.push_back(entry_of(*route));
  co_await respond(context, 200, "application/json", llm::models_body(context.dialect, entries));
}

net::Task<void> show_model(RouteContext& context) {
  const auto id = context.parameters.get("model");
  if (const auto route = id ? context.loop_context.routing->find(*id) : nullptr) {
    co_await respond(context, 200, "application/json", llm::model_body(context.dialect, entry_of(*route)));
    co_return;
  }
  co_await refuse(context, GatewayError::model_not_found, "no model of that name is configured; see GET /v1/models",
                  "model");
}

}  // namespace fuseboard::gateway
