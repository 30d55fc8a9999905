// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <charconv>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

constexpr int kInvalidParams = -32602;
constexpr int kInternalError = -32603;
constexpr int kTimeout = -32001;
constexpr int kMoreNeeded = -32042;

std::optional<int> code_of(const Node* node) noexcept {
  if (node == nullptr || (node->kind != Kind::number && node->kind != Kind::string)) return std::nullopt;
  int code = 0;
  const auto [end, error] = std::from_chars(node->raw.data(), node->raw.data() + node->raw.size(), code);
  if (error != std::errc() || end != node->raw.data() + node->raw.size()) return std::nullopt;
  return code;
}

// The payload of a frame: Streamable HTTP may wrap it in one event.
std::string_view frame_of(std::string_view body) noexcept {
  const std::string_view text = trimmed(body);
  if (!text.starts_with("event:") && !text.starts_with("data:") && !text.starts_with("id:")) return text;
  std::string_view frame = text;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with("data:")) frame = trimmed(line.substr(5));
    at = end + 1;
  }
  return frame;
}

// A callee that has run out of something says nothing about our own process.
Match of_callee(Match found) noexcept {
  if (found.conclusion.modifier == Modifier::own_exhaustion) found.conclusion.modifier = Modifier::none;
  return found;
}

// The text of a tool that failed. What it does not say is a failure all the same.
Classification judge_tool_result(const CallEvidence& evidence, const HeaderFacts& headers, const ErrorTree& tree,
                                 const Node* result) noexcept {
  ErrorFacts texts(evidence.now);
  Waits waits{.headers = headers.hints};
  for (const Node* part = tree.first(tree.find(result, Key::content)); part != nullptr; part = tree.next(part)) {
    const std::string_view text = texts.text_of(tree.find(part, Key::text));
    if (text.empty()) continue;
    if (const auto judged = judge_text(evidence.now, text, waits)) return settle(evidence, of_callee(*judged), waits);
  }
  return settle(evidence, by_default(), waits);
}

// A code that leaves the judgement to the text.
std::optional<Match> judge_weak(std::optional<WallTime> now, int code, int status, std::string_view message,
                                bool uri_alone, Waits& waits) noexcept {
  if (code == kInvalidParams) {
    if (uri_alone) return found(resource_not_found, "JSON-RPC code", "data.uri", "MCP 2026: -32602 with data {uri}");
    const PhraseRow* const row = phrase_row(Words(message), invalid_request);
    return row == nullptr ? std::nullopt : std::optional(found(*row));
  }
  if (code == kTimeout && status == 404) return found(status_row(404));
  // In the drafts of MCP 2026 the code of a time-out stood for headers that do not match.
  if (code == kTimeout && (status == 400 || starts_folded(message, "header mismatch"))) {
    return found(invalid_request, "JSON-RPC code", "-32001", "MCP SEP-2243: header mismatch");
  }
  Waits text_waits = waits;
  auto judged = judge_text(now, message, text_waits);
  // That a server is at fault is what the code says already.
  if (judged && code == kInternalError && judged->conclusion.category == service_unavailable) judged.reset();
  if (judged) waits = text_waits;
  return judged;
}

Classification judge_rpc_error(const CallEvidence& evidence, const HeaderFacts& headers, const ErrorTree& tree,
                               const Node* error) noexcept {
  ErrorFacts facts(evidence.now);
  const Node* const data = tree.find(error, Key::data);
  if (is_object(data)) facts.read_error(tree, data);
  const std::string_view message = facts.text_of(tree.find(error, Key::message));
  Waits waits = waits_of(headers, facts);
  if (!waits.body) waits.body = wait_in(Words(message));
  for (const std::string_view code : facts.codes()) {
    const CodeRow* const row = code_row(code);
    if (row != nullptr && row->weight == Weight::decides) return settle(evidence, found(*row), waits);
  }
  const int code = code_of(tree.find(error, Key::code)).value_or(0);
  const NumberRow* const row = json_rpc_row(code);
  // A page to visit is there so that a person signs in; anything else that a client has to add is its request's part.
  if (code == kMoreNeeded && has_content(tree.find(data, Key::elicitations))) {
    return settle(evidence, found(authentication, "JSON-RPC code", "elicitations", "MCP 2025-11-25: -32042"), waits);
  }
  if (row != nullptr && !row->weak) return settle(evidence, found(*row, "JSON-RPC code"), waits);
  const bool uri_alone = is_object(data) && data->members == 1 && tree.find(data, Key::uri) != nullptr;
  // Behind a status of its own the text only refines; -32000 says nothing then.
  if (evidence.status >= 400 && row == nullptr) {
    Match by_status = found(status_row(evidence.status));
    if (const PhraseRow* const phrase = phrase_row(Words(message), by_status.conclusion.category)) {
      by_status = found(*phrase);
    }
    return settle(evidence, of_callee(by_status), waits);
  }
  if (const auto judged = judge_weak(evidence.now, code, evidence.status, message, uri_alone, waits)) {
    return settle(evidence, of_callee(*judged), waits);
  }
  if (row != nullptr) return settle(evidence, found(*row, "JSON-RPC code"), waits);
  if (code >= 400 && code <= 599) return settle(evidence, found(status_row(code)), waits);
  return settle(evidence, by_default(), waits);
}

}  // namespace

Classification judge_rpc(const CallEvidence& evidence) noexcept {
  const HeaderFacts headers = read_headers(evidence);
  const std::string_view frame = frame_of(evidence.body);
  const ErrorTree tree(frame);
  const Node* root = tree.root();
  if (is_array(root)) root = tree.first(root);
  const bool is_rpc = is_object(root) && tree.end() == ErrorTree::End::whole &&
                      (tree.find(root, Key::jsonrpc) != nullptr || tree.find(root, Key::result) != nullptr);
  if (is_rpc) {
    if (const Node* const error = tree.find(root, Key::error); is_object(error)) {
      return judge_rpc_error(evidence, headers, tree, error);
    }
    const Node* const result = tree.find(root, Key::result);
    if (is_true(tree.find(result, Key::is_error))) return judge_tool_result(evidence, headers, tree, result);
    if (evidence.status < 400) return kNothingFailed;
  }
  if (evidence.status >= 300) return judge_http(evidence);
  if (evidence.body.empty()) {
    if (!evidence.message.empty()) return judge_message(evidence);
    if (evidence.status != 0) return kNothingFailed;  // a notification is answered with 202 and nothing
  }
  if (is_html(headers.content_type, evidence.body)) return judge_http(evidence);
  const Match broken{.conclusion = Conclusion(execution_error, Modifier::callee_broke),
                     .rule = {.kind = "body", .text = "not JSON-RPC", .source = "MCP: a frame that cannot be read"}};
  return settle(evidence, broken, {.headers = headers.hints});
}

}  // namespace fuseboard::classify_internal
