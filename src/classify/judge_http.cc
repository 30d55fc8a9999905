// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

constexpr bool is_success(int status) noexcept { return status >= 200 && status <= 299; }

// The status that decides. Inside a 2xx the structured code is the status; a proxy may wrap a throttle in a 5xx of its
// own. Elsewhere a number only echoes the status, or disagrees with it, and the status of the wire is the better
// witness.
std::optional<int> deciding_status(int status, const ErrorFacts& facts) noexcept {
  const auto code = facts.status();
  if (is_success(status) || status == 0) return code;
  if (status >= 500 && code == 429) return code;
  return status;
}

std::optional<Found> by_codes(const HeaderFacts& headers, const ErrorFacts& facts, bool has_class) noexcept {
  const CodeRow* weak = nullptr;
  const auto look_up = [&](std::string_view code) -> const CodeRow* {
    const CodeRow* const row = code_row(code);
    if (row == nullptr || row->weight == Weight::decides) return row;
    if (weak == nullptr) weak = row;
    return nullptr;
  };
  if (const CodeRow* const row = look_up(headers.error_type)) return found(*row);
  for (const std::string_view code : facts.codes()) {
    if (const CodeRow* const row = look_up(code)) return found(*row);
  }
  if (weak != nullptr && !has_class) return found(*weak);
  return std::nullopt;
}

std::optional<Found> by_headers(const HeaderFacts& headers) noexcept {
  if (headers.envoy_overloaded) {
    return found(circuit_open, "header", "x-envoy-overloaded", "Envoy: an upstream circuit breaker has overflowed");
  }
  if (headers.envoy_rate_limited) return found(rate_limit, "header", "x-envoy-ratelimited", "Envoy rate limit filter");
  return std::nullopt;
}

// Phrases of the messages within the class; their waits on the way.
void refine(const ErrorFacts& facts, Found& found_so_far, Waits& waits) noexcept {
  const PhraseRow* best = nullptr;
  const auto known = found_so_far.finding.category;
  for (const std::string_view message : facts.messages()) {
    const Words words(message);
    if (!waits.body) waits.body = wait_in(words);
    waits.nothing_allowed = waits.nothing_allowed || allows_nothing(words);
    const PhraseRow* const row = phrase_row(words, known);
    if (row != nullptr && (best == nullptr || row < best)) best = row;
  }
  if (best != nullptr) found_so_far = found(*best);
}

}  // namespace

Found judge_answer(int status, const HeaderFacts& headers, const ErrorFacts& facts, Waits& waits) noexcept {
  const auto deciding = deciding_status(status, facts);
  Found found_so_far = found(status_row(deciding.value_or(status)));
  if (const auto base = facts.base_status(); base && *base != 0) {
    if (const NumberRow* const row = minimax_row(*base)) found_so_far = found(*row, "code");
  }
  if (const auto row = by_headers(headers)) found_so_far = *row;
  if (const auto code = by_codes(headers, facts, deciding.has_value())) found_so_far = *code;
  refine(facts, found_so_far, waits);
  return found_so_far;
}

namespace {

Classification judge_grpc(const CallEvidence& evidence, const HeaderFacts& headers) noexcept {
  Waits waits{.headers = headers.hints};
  Found found_so_far = found(status_row(500));
  if (const NumberRow* const row = grpc_row(*headers.grpc_status)) found_so_far = found(*row, "grpc-status");
  const Words words(headers.grpc_message);
  waits.body = wait_in(words);
  if (const PhraseRow* const row = phrase_row(words, found_so_far.finding.category)) found_so_far = found(*row);
  return settle(evidence, found_so_far, waits);
}

// A page is for people: its prose decides nothing, but it may say when to come back.
Classification judge_page(const CallEvidence& evidence, const HeaderFacts& headers, Found found_so_far) noexcept {
  Waits waits{.headers = headers.hints};
  if (const auto row = by_headers(headers)) found_so_far = *row;
  if (!waits.headers.retry_after) waits.body = wait_in(Words(evidence.body));
  return settle(evidence, found_so_far, waits);
}

Classification judge_error_body(const CallEvidence& evidence, const HeaderFacts& headers,
                                const JsonTree& tree) noexcept {
  ErrorFacts facts(evidence.now);
  facts.read_body(tree, evidence.body);
  if (evidence.body.empty()) facts.add_message(evidence.message);
  Waits waits = waits_of(headers, facts);
  const Found found_so_far = judge_answer(evidence.status, headers, facts, waits);
  return settle(evidence, found_so_far, waits);
}

// What a 2xx that is no JSON means.
Classification judge_bare_success(const CallEvidence& evidence, const HeaderFacts& headers) noexcept {
  const Waits waits{.headers = headers.hints};
  const bool empty = trimmed(evidence.body).empty();
  const bool none_expected = evidence.status == 202 || evidence.status == 204 || evidence.status == 205;
  const bool is_tool = evidence.domain == Domain::tool;
  if (empty && is_tool && none_expected) return kNothingFailed;
  if (empty) {
    return settle(evidence, found(service_unavailable, "body", "empty", "a 2xx without content"), waits);
  }
  if (is_html(headers.content_type, evidence.body)) {
    return settle(evidence, found(service_unavailable, "body", "html", "a page in place of an answer"), waits);
  }
  const bool promises_json = headers.content_type.empty() || headers.content_type.contains("json");
  if (is_tool || !promises_json) return kNothingFailed;
  return settle(evidence, found(service_unavailable, "body", "not JSON", "an answer that cannot be read"), waits);
}

Classification judge_success(const CallEvidence& evidence, const HeaderFacts& headers, const JsonTree& tree) noexcept {
  Waits waits{.headers = headers.hints};
  switch (tree.end()) {
    case JsonTree::End::none:
      return judge_bare_success(evidence, headers);
    case JsonTree::End::truncated:
      return settle(evidence, found(network, "body", "truncated", "JSON that was cut on its way"), waits);
    case JsonTree::End::broken:
      return settle(evidence, found(service_unavailable, "body", "not JSON", "an answer that cannot be read"), waits);
    case JsonTree::End::whole:
      break;
  }
  const Ending ending = ending_of(tree);
  if (ending.is_error) {
    ErrorFacts facts(evidence.now);
    facts.read_body(tree, evidence.body);
    waits = waits_of(headers, facts);
    return settle(evidence, judge_answer(evidence.status, headers, facts, waits), waits);
  }
  if (ending.failure) return settle(evidence, *ending.failure, waits);
  const Node* const root = tree.root();
  const bool is_empty = is_object(root) && root->members == 0;
  const bool no_answer = ending.has_choices && !ending.answers && !ending.finished;
  if (evidence.domain == Domain::llm && (is_empty || no_answer)) {
    return settle(evidence, found(service_unavailable, "body", "no content", "a 2xx without content"), waits);
  }
  return kNothingFailed;
}

}  // namespace

Classification judge_http(const CallEvidence& evidence) noexcept {
  const HeaderFacts headers = read_headers(evidence);
  if (headers.grpc_status && *headers.grpc_status != 0) return judge_grpc(evidence, headers);
  if (headers.grpc_status && is_success(evidence.status) && starts_folded(headers.content_type, "application/grpc")) {
    return kNothingFailed;
  }
  if (is_success(evidence.status)) {
    if (starts_folded(headers.content_type, "text/event-stream")) return judge_stream(evidence);
    return judge_success(evidence, headers, JsonTree(evidence.body));
  }
  // A status of 0 is none: what is left is the text.
  if (evidence.status == 0 && evidence.body.empty()) return judge_message(evidence);
  const bool has_text = !evidence.body.empty() || !evidence.message.empty();
  if (!has_text && headers.error_type.empty()) {
    Found found_so_far = found(status_row(evidence.status));
    if (const auto row = by_headers(headers)) found_so_far = *row;
    return settle(evidence, found_so_far, {.headers = headers.hints});
  }
  if (is_html(headers.content_type, evidence.body)) {
    return judge_page(evidence, headers, found(status_row(evidence.status)));
  }
  return judge_error_body(evidence, headers, JsonTree(evidence.body));
}

}  // namespace fuseboard::classify_internal
