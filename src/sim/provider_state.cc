// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/provider_state.h"

#include <fmt/format.h>

#include <cctype>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/behaviour.h"
#include "sim/json_text.h"
#include "sim/quota_headers.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kModels = "/v1/models";

PlannedFault planned_refusal(ErrorKind kind, std::string message = {}, std::string param = {}) {
  PlannedFault planned;
  planned.opening = PlannedFault::Opening::kError;
  planned.error = kind;
  planned.message = std::move(message);
  planned.param = std::move(param);
  planned.behaviour = "refused";
  return planned;
}

Reply json_reply(int status, const ordered_json& body) {
  Reply reply;
  reply.status = status;
  reply.headers = {{"content-type", "application/json"}};
  reply.steps.push_back({{}, json_text(body)});
  return reply;
}

Dialect dialect_of(const Received& received) {
  const bool anthropic =
      received.path().starts_with("/v1/messages") || received.head.headers.contains("anthropic-version");
  return anthropic ? Dialect::anthropic : Dialect::openai;
}

std::size_t tokens_of(const ChatRequest& request) { return request.prompt_tokens; }
std::size_t tokens_of(const EmbeddingsRequest& request) {
  std::size_t tokens = 0;
  for (const std::string& input : request.inputs) tokens += count_tokens(input);
  return tokens;
}

std::string inspected(const Received& received) {
  ordered_json headers = ordered_json::object();
  for (const net::Header& header : received.head.headers) {
    std::string name(header.name);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (headers.contains(name)) {
      headers[name] = headers[name].get<std::string>() + ", " + std::string(header.value);
    } else {
      headers[name] = header.value;
    }
  }
  return json_text(ordered_json{{"method", received.head.method},
                                {"target", received.head.target},
                                {"headers", std::move(headers)},
                                {"body", received.body}});
}

ordered_json model_entry(Dialect dialect, std::string_view id) {
  // A fixed date: a list that changes from run to run would make answers hard to compare.
  switch (dialect) {
    case Dialect::openai:
      return {{"id", id}, {"object", "model"}, {"created", 1767225600}, {"owned_by", "fuseboard-sim"}};
    case Dialect::anthropic:
      return {{"type", "model"}, {"id", id}, {"display_name", id}, {"created_at", "2026-01-01T00:00:00Z"}};
  }
  std::unreachable();
}

ordered_json model_list(Dialect dialect) {
  ordered_json data = ordered_json::array();
  for (const Behaviour& row : behaviours()) data.push_back(model_entry(dialect, row.name));
  switch (dialect) {
    case Dialect::openai:
      return {{"object", "list"}, {"data", std::move(data)}};
    case Dialect::anthropic:
      return {{"data", std::move(data)},
              {"has_more", false},
              {"first_id", behaviours().front().name},
              {"last_id", behaviours().back().name}};
  }
  std::unreachable();
}

ordered_json problems_json(const Problems& problems) {
  ordered_json list = ordered_json::array();
  for (const Problem& problem : problems) {
    list.push_back({{"field", problem.field}, {"value", problem.value}, {"allowed", problem.allowed}});
  }
  return {{"error", {{"message", "the fault script is not valid"}, {"problems", std::move(list)}}}};
}

}  // namespace

ProviderState::ProviderState(SimOptions options)
    : options_(std::move(options)), log_(options_.clock->now()), sessions_(options_.seed), script_(options_.faults) {
  const MutexLock lock(mutex_);
  restart_script_locked();
}

void ProviderState::restart_script_locked() {
  player_.reset();
  if (script_) player_.emplace(options_.clock->now(), *script_, options_.seed);
}

ProviderState::Decided ProviderState::decide(const Received& received) {
  const std::string_view path = received.path();
  const std::string_view method = received.head.method;
  const bool post = method == "POST";
  if (post && path == "/v1/chat/completions") return answer_chat(Dialect::openai, received);
  if (post && path == "/v1/responses") return answer_response(received);
  if (post && path == "/v1/messages") return answer_chat(Dialect::anthropic, received);
  if (post && path == "/v1/messages/count_tokens") return answer_token_count(received);
  if (post && path == "/v1/embeddings") return answer_embeddings(received);
  if (post && path == "/mcp") return answer_mcp(received);
  if (path == "/mcp") return answer_get_mcp(received);
  if (method == "GET" && (path == kModels || path.starts_with("/v1/models/"))) return answer_models(received);
  PlannedFault planned = planned_refusal(ErrorKind::kNotFound, fmt::format("Unknown request: {} {}", method, path));
  return answer_anyhow(received, {.model = {}, .refused = std::move(planned)}, {});
}

bool ProviderState::key_fits(const net::Headers& headers) const {
  if (options_.require_key.empty()) return true;
  return headers.get("authorization") == "Bearer " + options_.require_key ||
         headers.get("x-api-key") == options_.require_key || headers.get("api-key") == options_.require_key;
}

PlannedFault ProviderState::planned_fault_locked(TimePoint now, const Received& received, const Asked& asked,
                                                 const RequestLog::Ticket& ticket) {
  if (!key_fits(received.head.headers)) return planned_refusal(ErrorKind::kUnauthorized);
  if (asked.refused) return *asked.refused;
  if (asked.is_tool) return {};
  const auto name = read_model_name(asked.model);
  if (!name) {
    PlannedFault planned = planned_refusal(ErrorKind::kModelNotFound, name.error(), "model");
    planned.behaviour = "sim-404-model";
    return planned;
  }
  return planned_fault_of(*name, ticket.nth, log_.since_clear(now));
}

ProviderState::Judged ProviderState::judge(const Received& received, const Asked& asked) {
  const MutexLock lock(mutex_);
  const TimePoint now = options_.clock->now();
  const std::string_view path = received.path();
  const auto ticket =
      log_.arrived(now, {.method = received.head.method, .path = path, .model = asked.model, .stream = asked.stream});
  const PlannedFault own = planned_fault_locked(now, received, asked, ticket);
  PlannedFault planned = own;
  if (player_) player_->apply(now, {.ordinal = ticket.ordinal, .model = asked.model, .path = path}, planned);
  // A script may refuse what would be answered, but it cannot answer what makes no sense.
  if (planned.opening == PlannedFault::Opening::kAnswer && own.opening != PlannedFault::Opening::kAnswer &&
      asked.refused)
    planned = own;
  take_quota_locked(now, asked, planned);
  return {std::move(planned), ticket};
}

void ProviderState::take_quota_locked(TimePoint now, const Asked& asked, PlannedFault& planned) {
  if (!planned.requests_per_minute) return;
  planned.quota = rates_.take(now, asked.model, *planned.requests_per_minute, asked.tokens);
  if (planned.quota->exceeded == Quota::Exceeded::kNothing || planned.opening != PlannedFault::Opening::kAnswer) return;
  planned.opening = PlannedFault::Opening::kError;
  planned.error = ErrorKind::kRateLimit;
  planned.retry_after = planned.quota->reset;
}

AnswerContext ProviderState::context_of(const RequestLog::Ticket& ticket) const {
  const auto created = options_.wall_clock->now().time_since_epoch();
  return {.seed = options_.seed,
          .ordinal = ticket.ordinal,
          .created = std::chrono::duration_cast<std::chrono::seconds>(created).count(),
          .token_gap = options_.token_gap,
          .max_tokens = options_.max_answer_tokens};
}

ProviderState::Decided ProviderState::close(Dialect dialect, const Judged& judged, Reply reply) {
  const std::string request_id = context_of(judged.ticket).request_id();
  reply.headers.emplace_back("x-request-id", request_id);
  reply.headers.emplace_back("request-id", request_id);
  if (judged.planned.quota) add_rate_headers(options_.wall_clock->now(), dialect, *judged.planned.quota, reply);
  const bool answered = reply.opening == Reply::Opening::kAnswer;
  const MutexLock lock(mutex_);
  log_.decided(judged.ticket, reply.behaviour, answered ? reply.status : 0);
  return {std::move(reply), judged.ticket};
}

template <typename Request, typename Make>
ProviderState::Decided ProviderState::answer(Dialect dialect, const Received& received,
                                             const std::expected<Request, BadRequest>& request, bool stream,
                                             Make make) {
  const std::string model = request ? request->model : model_of(received.body);
  Asked asked = {.model = model, .stream = stream};
  if (request) asked.tokens = tokens_of(*request);
  if (!request) asked.refused = planned_refusal(request.error().kind, request.error().message, request.error().param);
  const Judged judged = judge(received, asked);
  AnswerContext context = context_of(judged.ticket);
  if (judged.planned.opening != PlannedFault::Opening::kAnswer) {
    return close(dialect, judged, refusal_reply(judged.planned, {dialect, model, context.request_id()}));
  }
  const std::string seen =
      judged.planned.content == PlannedFault::Content::kInspect ? inspected(received) : std::string();
  context.inspected = seen;
  return close(dialect, judged, make(*request, judged.planned, context));
}

ProviderState::Decided ProviderState::answer_anyhow(const Received& received, const Asked& asked, Reply reply) {
  const Judged judged = judge(received, asked);
  const Dialect dialect = dialect_of(received);
  if (judged.planned.opening == PlannedFault::Opening::kAnswer) {
    return close(dialect, judged, impose(judged.planned, std::move(reply)));
  }
  const RefusalContext context = {dialect, std::string(asked.model), context_of(judged.ticket).request_id()};
  return close(dialect, judged, refusal_reply(judged.planned, context));
}

ProviderState::Decided ProviderState::answer_chat(Dialect dialect, const Received& received) {
  const auto request = read_chat(dialect, received.body);
  return answer(dialect, received, request, request && request->stream,
                [dialect](const ChatRequest& chat, const PlannedFault& planned, const AnswerContext& context) {
                  return chat_reply(dialect, chat, planned, context);
                });
}

std::expected<ChatRequest, BadRequest> ProviderState::with_previous(ChatRequest request) const {
  const std::string& id = request.response->previous_id;
  if (id.empty()) return request;
  const MutexLock lock(mutex_);
  const std::optional<Conversation> before = responses_.find(id);
  if (!before) {
    return std::unexpected(BadRequest{fmt::format("Previous response with id '{}' not found.", id),
                                      "previous_response_id", ErrorKind::kPreviousResponse});
  }
  request.prompt.insert(0, fmt::format("{:016x}\n", before->digest));
  request.prompt_tokens += before->tokens;
  return request;
}

void ProviderState::remember(const ChatRequest& request, const AnswerContext& context) {
  if (!request.response->store) return;
  const Conversation conversation = {.digest = mix(0, request.prompt), .tokens = request.prompt_tokens};
  const MutexLock lock(mutex_);
  responses_.remember(response_id(context), conversation);
}

ProviderState::Decided ProviderState::answer_response(const Received& received) {
  auto request = read_response(received.body);
  if (request) request = with_previous(*std::move(request));
  return answer(Dialect::openai, received, request, request && request->stream,
                [this](const ChatRequest& asked, const PlannedFault& planned, const AnswerContext& context) {
                  Reply reply = chat_reply(Dialect::openai, asked, planned, context);
                  // A response that broke off is no conversation to go on with.
                  if (reply.status == 200 && planned.ending == PlannedFault::Ending::kComplete)
                    remember(asked, context);
                  return reply;
                });
}

ProviderState::Decided ProviderState::answer_embeddings(const Received& received) {
  return answer(Dialect::openai, received, read_embeddings(received.body), false, embeddings_reply);
}

ProviderState::Decided ProviderState::answer_token_count(const Received& received) {
  return answer(Dialect::anthropic, received, read_token_count(received.body), false,
                [](const ChatRequest& chat, const PlannedFault& planned, const AnswerContext&) {
                  return plain_reply(planned, json_text(ordered_json{{"input_tokens", chat.prompt_tokens}}), 0);
                });
}

ProviderState::Decided ProviderState::answer_mcp(const Received& received) {
  const net::Headers& headers = received.head.headers;
  const std::string tool = mcp_tool_of(received.body);
  Reply reply;
  {
    const MutexLock lock(mutex_);
    reply = mcp_reply({.body = received.body,
                       .session = headers.get("mcp-session-id"),
                       .protocol_version = headers.get("mcp-protocol-version"),
                       .origin = headers.get("origin")},
                      sessions_);
  }
  const bool stream = reply.streamed;
  return answer_anyhow(received, {.model = tool, .stream = stream, .is_tool = true}, std::move(reply));
}

// GET would open a stream of messages that this server never has; DELETE ends a session.
ProviderState::Decided ProviderState::answer_get_mcp(const Received& received) {
  Reply reply;
  reply.behaviour = "mcp";
  reply.status = 405;
  reply.headers = {{"allow", "POST, DELETE"}};
  if (received.head.method == "DELETE") {
    const MutexLock lock(mutex_);
    reply.headers.clear();
    reply.status = sessions_.close(received.head.headers.get("mcp-session-id")) ? 204 : 404;
  }
  return answer_anyhow(received, {}, std::move(reply));
}

ProviderState::Decided ProviderState::answer_models(const Received& received) {
  const Dialect dialect = dialect_of(received);
  const std::string_view path = received.path();
  if (path == kModels) return answer_anyhow(received, {}, json_reply(200, model_list(dialect)));
  const std::string id = net::percent_decode(path.substr(kModels.size() + 1)).value_or("");
  Asked asked = {.model = {}};
  if (const auto name = read_model_name(id); !name) {
    asked.refused = planned_refusal(ErrorKind::kModelNotFound, name.error(), "model");
  }
  return answer_anyhow(received, asked, json_reply(200, model_entry(dialect, id)));
}

void ProviderState::ended(const RequestLog::Ticket& ticket, bool client_left) {
  const MutexLock lock(mutex_);
  log_.ended(ticket, client_left);
}

Reply ProviderState::control(const Received& received) {
  const std::string_view path = received.path();
  const std::string_view method = received.head.method;
  if (method == "GET" && path == "/sim/models") return json_reply(200, ordered_json::parse(behaviours_json()));
  if (method == "GET" && path == "/sim/log") return json_reply(200, ordered_json::parse(log_json()));
  if (method == "POST" && path == "/sim/reset") {
    reset();
    return json_reply(200, {{"reset", true}});
  }
  if (method == "POST" && path == "/sim/faults") {
    const auto set = set_faults(received.body);
    return set ? json_reply(200, {{"faults", "replaced"}}) : json_reply(400, problems_json(set.error()));
  }
  return json_reply(404,
                    {{"error", {{"message", "GET /sim/models, GET /sim/log, POST /sim/reset, POST /sim/faults"}}}});
}

std::expected<void, Problems> ProviderState::set_faults(std::string_view json) {
  auto script = FaultScript::parse(json);
  if (!script) return std::unexpected(std::move(script.error()));
  const MutexLock lock(mutex_);
  script_ = *std::move(script);
  restart_script_locked();
  return {};
}

void ProviderState::reset() {
  const MutexLock lock(mutex_);
  log_.clear(options_.clock->now());
  sessions_.clear();
  responses_.clear();
  rates_.clear();
  restart_script_locked();
}

std::string ProviderState::log_json() const {
  const MutexLock lock(mutex_);
  return log_.json();
}

}  // namespace fuseboard::sim
