// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/mcp_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/json_text.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kVersions = {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kMethodNotFound = -32601;
constexpr int kInvalidParams = -32602;
constexpr int kInternalError = -32603;
constexpr int kSessionNotFound = -32001;
constexpr double kLongestSlowMs = 600'000;

const ordered_json& member(const ordered_json& value, std::string_view key) {
  static const ordered_json kNull;
  if (!value.is_object()) return kNull;
  const auto it = value.find(key);
  return it == value.end() ? kNull : *it;
}

Reply json_reply(int status, const ordered_json& body) {
  Reply reply;
  reply.status = status;
  reply.headers = {{"content-type", "application/json"}};
  reply.steps.push_back({{}, json_text(body)});
  reply.behaviour = "mcp";
  return reply;
}

ordered_json error_message(const ordered_json& id, int code, std::string_view message) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", message}}}};
}

ordered_json result_message(const ordered_json& id, ordered_json result) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

ordered_json text_result(std::string_view text, bool is_error = false) {
  ordered_json result = {{"content", ordered_json::array({{{"type", "text"}, {"text", text}}})}};
  if (is_error) result["isError"] = true;
  return result;
}

ordered_json schema(const ordered_json& properties, const ordered_json& required) {
  ordered_json text = {{"type", "object"}, {"properties", properties}};
  if (!required.empty()) text["required"] = required;
  return text;
}

ordered_json tool(std::string_view name, std::string_view description, ordered_json input, bool idempotent) {
  return {{"name", name},
          {"description", description},
          {"inputSchema", std::move(input)},
          {"annotations", {{"readOnlyHint", idempotent}, {"idempotentHint", idempotent}}}};
}

ordered_json tool_list() {
  const ordered_json none = ordered_json::object();
  const ordered_json number = {{"type", "number"}};
  ordered_json add = tool("add", "Adds two numbers.", schema({{"a", number}, {"b", number}}, {"a", "b"}), true);
  add["outputSchema"] = schema({{"sum", number}}, ordered_json::array({"sum"}));
  return {
      tool("echo", "Answers with the text it is given.",
           schema({{"text", {{"type", "string"}}}}, ordered_json::array({"text"})), true),
      std::move(add),
      tool("fail", "Runs and reports a failure (isError).", schema({{"message", {{"type", "string"}}}}, none), false),
      tool("slow", "Answers after `ms` milliseconds (1000), with progress if asked.",
           schema({{"ms", {{"type", "number"}, {"minimum", 0}, {"maximum", kLongestSlowMs}}}}, none), true),
      tool("crash", "Breaks: a JSON-RPC internal error.", schema(none, none), false)};
}

ordered_json initialize(const ordered_json& params) {
  const ordered_json& asked = member(params, "protocolVersion");
  const bool known = asked.is_string() && std::ranges::find(kVersions, asked.get<std::string>()) != kVersions.end();
  return {
      {"protocolVersion", known ? asked : ordered_json(kVersions.front())},
      {"capabilities", {{"tools", {{"listChanged", false}}}}},
      {"serverInfo", {{"name", "fuseboard-sim-tools"}, {"title", "Fuseboard's simulated tools"}, {"version", "1"}}}};
}

ordered_json add_numbers(const ordered_json& arguments) {
  const ordered_json& a = member(arguments, "a");
  const ordered_json& b = member(arguments, "b");
  // Wrong arguments are the tool's answer, not the protocol's (SEP-1303), so that a model can mend its call.
  if (!a.is_number() || !b.is_number()) return text_result("add needs two numbers, a and b", true);
  const ordered_json sum =
      a.is_number_float() || b.is_number_float()
          ? ordered_json(a.get<double>() + b.get<double>())
          : ordered_json(static_cast<std::int64_t>(a.get<std::uint64_t>() + b.get<std::uint64_t>()));
  ordered_json result = text_result(json_text(sum));
  result["structuredContent"] = {{"sum", sum}};
  return result;
}

Reply slow_reply(const ordered_json& id, const ordered_json& params) {
  const ordered_json& asked = member(member(params, "arguments"), "ms");
  const double ms = asked.is_number() ? std::clamp(asked.get<double>(), 0.0, kLongestSlowMs) : 1000.0;
  const auto whole = std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>(ms));
  const ordered_json answer = result_message(id, text_result(fmt::format("waited {} ms", ms)));
  const ordered_json& token = member(member(params, "_meta"), "progressToken");
  if (token.is_null()) {
    Reply reply = json_reply(200, answer);
    reply.wait = whole;
    return reply;
  }
  constexpr int kParts = 4;
  Reply reply = json_reply(200, nullptr);
  reply.streamed = true;
  reply.headers = {{"content-type", "text/event-stream"}, {"cache-control", "no-cache"}};
  reply.steps.clear();
  for (int part = 1; part < kParts; ++part) {
    const ordered_json progress = {{"jsonrpc", "2.0"},
                                   {"method", "notifications/progress"},
                                   {"params", {{"progressToken", token}, {"progress", part}, {"total", kParts}}}};
    reply.steps.push_back({whole / kParts, fmt::format("event: message\ndata: {}\n\n", json_text(progress))});
  }
  reply.steps.push_back({whole / kParts, fmt::format("event: message\ndata: {}\n\n", json_text(answer))});
  return reply;
}

Reply call_tool(const ordered_json& id, const ordered_json& params) {
  const ordered_json& name = member(params, "name");
  const ordered_json& arguments = member(params, "arguments");
  if (name == "slow") return slow_reply(id, params);
  if (name == "crash") return json_reply(200, error_message(id, kInternalError, "Internal error: the tool crashed"));
  if (name == "add") return json_reply(200, result_message(id, add_numbers(arguments)));
  if (name == "echo") {
    const ordered_json& text = member(arguments, "text");
    return json_reply(200, result_message(id, text.is_string() ? text_result(text.get<std::string>())
                                                               : text_result("echo needs a text", true)));
  }
  if (name == "fail") {
    const ordered_json& message = member(arguments, "message");
    const std::string text = message.is_string() ? message.get<std::string>() : "the tool failed as asked";
    return json_reply(200, result_message(id, text_result(text, true)));
  }
  const std::string shown = name.is_string() ? name.get<std::string>() : json_text(name);
  return json_reply(200, error_message(id, kInvalidParams, "Unknown tool: " + shown));
}

Reply answer_request(const ordered_json& message, McpSessions& sessions) {
  const ordered_json& id = message["id"];
  const ordered_json& method = message["method"];
  const ordered_json& params = member(message, "params");
  if (method == "initialize") {
    Reply reply = json_reply(200, result_message(id, initialize(params)));
    reply.headers.emplace_back("mcp-session-id", sessions.open());
    return reply;
  }
  if (method == "ping") return json_reply(200, result_message(id, ordered_json::object()));
  if (method == "tools/list") return json_reply(200, result_message(id, {{"tools", tool_list()}}));
  if (method == "tools/call") return call_tool(id, params);
  return json_reply(200, error_message(id, kMethodNotFound, "Method not found: " + method.get<std::string>()));
}

// DNS rebinding (the specification's security warning): a browser's page may only speak to us from this machine.
bool is_local_origin(std::string_view origin) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!origin.starts_with(scheme)) continue;
    const std::string_view host = origin.substr(scheme.size());
    for (const std::string_view local : {"localhost", "127.0.0.1", "[::1]"}) {
      if (host.starts_with(local) && (host.size() == local.size() || host[local.size()] == ':')) return true;
    }
  }
  return false;
}

std::optional<Reply> refuse_transport(const McpPost& post, const McpSessions& sessions) {
  const auto refuse = [](int status, int code, std::string_view message) {
    return json_reply(status, error_message(nullptr, code, message));
  };
  if (!post.origin.empty() && !is_local_origin(post.origin)) return refuse(403, kInvalidRequest, "Origin not allowed");
  if (!post.protocol_version.empty() && std::ranges::find(kVersions, post.protocol_version) == kVersions.end()) {
    return refuse(400, kInvalidRequest, "Bad Request: Unsupported protocol version");
  }
  if (!post.session.empty() && !sessions.contains(post.session)) {
    return refuse(404, kSessionNotFound, "Session not found");
  }
  return std::nullopt;
}

}  // namespace

std::string McpSessions::open() {
  if (ids_.size() == kMax) ids_.pop_front();
  ids_.push_back(fmt::format("sim-session-{:016x}", mix(seed_, ++opened_)));
  return ids_.back();
}

bool McpSessions::contains(std::string_view id) const { return std::ranges::find(ids_, id) != ids_.end(); }

bool McpSessions::close(std::string_view id) {
  const auto it = std::ranges::find(ids_, id);
  if (it == ids_.end()) return false;
  ids_.erase(it);
  return true;
}

void McpSessions::clear() {
  ids_.clear();
  opened_ = 0;
}

std::string mcp_tool_of(std::string_view body) {
  const ordered_json message = ordered_json::parse(body, nullptr, false);
  const ordered_json& name = member(member(message, "params"), "name");
  return member(message, "method") == "tools/call" && name.is_string() ? name.get<std::string>() : std::string();
}

Reply mcp_reply(const McpPost& post, McpSessions& sessions) {
  if (auto refused = refuse_transport(post, sessions)) return *std::move(refused);
  const ordered_json message = ordered_json::parse(post.body, nullptr, false);
  if (message.is_discarded()) {
    return json_reply(400, error_message(nullptr, kParseError, "Parse error: Invalid JSON"));
  }
  const ordered_json& id = member(message, "id");
  const bool has_id = id.is_string() || id.is_number();
  if (member(message, "jsonrpc") != "2.0" || (!id.is_null() && !has_id)) {
    return json_reply(400,
                      error_message(nullptr, kInvalidRequest, "Invalid Request: one JSON-RPC 2.0 message expected"));
  }
  if (member(message, "method").is_string() && has_id) return answer_request(message, sessions);
  // Notifications, and responses to requests that this server never sends, are taken and not answered.
  Reply reply;
  reply.status = 202;
  reply.behaviour = "mcp";
  return reply;
}

}  // namespace fuseboard::sim
