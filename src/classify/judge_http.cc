// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <functional>

#include "classify/fold.h"
#include "classify/judge.h"
#include "classify/scope.h"

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

// Servers that are at fault or out of reach.
constexpr CategorySet kFaults = {service_unavailable, timeout, overloaded, network};

// Whether a code that is known by its words alone may override what the status says. A server that is down is not
// explained by the name of a service, and whoever is not let in cannot tell what exists.
bool may_override(const CodeRow& row, std::optional<Category> by_status) noexcept {
  constexpr CategorySet kAccess = {authentication, permission_denied, resource_not_found, tool_not_found};
  if (!by_status || !kAccess.contains(row.conclusion.category)) return true;
  if (row.conclusion.category == resource_not_found || row.conclusion.category == tool_not_found) {
    return *by_status == invalid_request || *by_status == resource_not_found;
  }
  return !kFaults.contains(*by_status);
}

// Of all codes the first that decides; the first that does not where nothing does.
struct Codes {
  const CodeRow* decides = nullptr;
  const CodeRow* weak = nullptr;
};

const CodeRow* row_of(std::string_view code, std::optional<Category> by_status) noexcept {
  const CodeRow* const row = code_row(code);
  // "InvalidEndpointOrModel.NotFound": the last part alone says less.
  if (row != nullptr && (row->weight == Weight::decides || !code.contains('.'))) return row;
  const CodeRow* const family = family_row(code);
  const bool decides = family != nullptr && family->weight == Weight::decides;
  if (decides && may_override(*family, by_status)) return family;
  return row != nullptr || decides ? row : family;
}

Codes read_codes(const HeaderFacts& headers, const ErrorFacts& facts, std::optional<Category> by_status) noexcept {
  Codes found;
  const auto look_up = [&](std::string_view code) {
    const CodeRow* const row = code.empty() ? nullptr : row_of(code, by_status);
    if (row == nullptr) return;
    if (row->weight == Weight::decides) {
      found.decides = row;
    } else if (found.weak == nullptr) {
      found.weak = row;
    }
  };
  look_up(headers.error_type);
  for (const std::string_view code : facts.codes()) {
    if (found.decides != nullptr) break;
    look_up(code);
  }
  return found;
}

std::optional<Match> by_headers(const HeaderFacts& headers) noexcept {
  if (headers.envoy_overloaded) {
    return found(circuit_open, "header", "x-envoy-overloaded", "Envoy: an upstream circuit breaker has overflowed");
  }
  if (headers.envoy_rate_limited) return found(rate_limit, "header", "x-envoy-ratelimited", "Envoy rate limit filter");
  return std::nullopt;
}

void note_scope(FailureScope scope, Waits& waits) noexcept {
  if (waits.scope == FailureScope::unnamed || scope > waits.scope) waits.scope = scope;
}

// Phrases of the messages within the class; their waits, and what they speak of, on the way.
// Lets the messages say more, within the class so far: how sure that is, `certainty` says.
void refine(const ErrorFacts& facts, Certainty certainty, Match& found_so_far, Waits& waits) noexcept {
  const PhraseRow* best = nullptr;
  for (const std::string_view message : facts.messages()) {
    const Words words(message);
    if (!waits.body) waits.body = wait_in(words);
    waits.nothing_allowed = waits.nothing_allowed || allows_nothing(words);
    if (kScoped.contains(found_so_far.conclusion.category)) {
      note_scope(scope_in(words), waits);
      waits.exceeds_limit = waits.exceeds_limit || requests_more_than_limit(words);
    }
    const PhraseRow* const row = refining_row(words, found_so_far.conclusion.category, certainty);
    if (found_so_far.conclusion.by_window || (row != nullptr && row->conclusion.by_window)) {
      waits.short_window = waits.short_window || names_short_window(words);
    }
    if (row != nullptr && (best == nullptr || std::less<>()(row, best))) best = row;
    // MiniMax repeats its own code behind the prose: "insufficient balance (1008)".
    const NumberRow* const number = row == nullptr ? trailing_minimax_row(message) : nullptr;
    if (number != nullptr) found_so_far = found(*number, "code");
  }
  if (best != nullptr) found_so_far = found(*best);
}

// How sure the class is: by a status or a code that decides, by a code that says as much as a status, or not at all.
Certainty certainty_of(const ErrorFacts& facts, const Codes& codes, bool has_status) noexcept {
  if (has_status || codes.decides != nullptr) return Certainty::firm;
  const NumberRow* number = nullptr;
  if (const auto base = facts.base_status()) number = minimax_row(*base);
  if (const auto code = facts.message_code()) number = baidu_row(*code);
  if (number != nullptr) return number->weak ? Certainty::generic : Certainty::firm;
  return codes.weak != nullptr ? Certainty::generic : Certainty::none;
}

}  // namespace

Match judge_answer(int status, const HeaderFacts& headers, const ErrorFacts& facts, Waits& waits) noexcept {
  const auto deciding = deciding_status(status, facts);
  Match found_so_far = found(status_row(deciding.value_or(status)));
  if (const auto base = facts.base_status(); base && *base != 0) {
    if (const NumberRow* const row = minimax_row(*base)) found_so_far = found(*row, "code");
  }
  if (const auto code = facts.message_code()) {
    if (const NumberRow* const row = baidu_row(*code)) found_so_far = found(*row, "code");
  }
  if (const auto row = by_headers(headers)) found_so_far = *row;
  for (const std::string_view code : facts.codes()) note_scope(scope_of_code(code), waits);
  const std::optional<Category> by_status =
      deciding ? std::optional(status_row(*deciding).conclusion.category) : std::nullopt;
  const Codes codes = read_codes(headers, facts, by_status);
  if (codes.decides != nullptr) {
    found_so_far = found(*codes.decides);
  } else if (codes.weak != nullptr && !deciding && found_so_far.by_status) {
    found_so_far = found(*codes.weak);
  }
  refine(facts, certainty_of(facts, codes, deciding.has_value()), found_so_far, waits);
  return found_so_far;
}

namespace {

Classification judge_grpc(const CallEvidence& evidence, const HeaderFacts& headers) noexcept {
  Waits waits{.headers = headers.hints};
  Match found_so_far = found(status_row(500));
  if (const NumberRow* const row = grpc_row(*headers.grpc_status)) found_so_far = found(*row, "grpc-status");
  const Words words(headers.grpc_message);
  waits.body = wait_in(words);
  if (const PhraseRow* const row = phrase_row(words, found_so_far.conclusion.category)) found_so_far = found(*row);
  return settle(evidence, found_so_far, waits);
}

// A page is for people: its prose decides nothing, but it may say when to come back.
Classification judge_page(const CallEvidence& evidence, const HeaderFacts& headers, Match found_so_far) noexcept {
  Waits waits{.headers = headers.hints};
  if (const auto row = by_headers(headers)) found_so_far = *row;
  if (!waits.headers.retry_after) waits.body = wait_in(Words(evidence.body));
  return settle(evidence, found_so_far, waits);
}

// What a provider of models does not find is a model, whatever it calls one: NVIDIA's functions, Azure's deployments,
// ByteDance's endpoints. A path is a route.
bool is_about_model(const ErrorFacts& facts, const Match& found_so_far) noexcept {
  constexpr CategorySet kNotFound = {resource_not_found, tool_not_found};
  constexpr std::uint64_t kFunction = hash_lower("function");
  constexpr std::uint64_t kDeployment = hash_lower("deployment");
  constexpr std::uint64_t kEndpoint = hash_lower("endpoint");
  if (!kNotFound.contains(found_so_far.conclusion.category)) return false;
  if (facts.about_model()) return true;
  for (const std::string_view message : facts.messages()) {
    const Words words(message);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words.is(i, kDeployment)) return true;
      if (!words.is(i, kFunction) && !words.is(i, kEndpoint)) continue;
      const std::size_t next = words.is(i + 1, hash_lower("id")) ? i + 2 : i + 1;
      if (next >= words.size() || words.text(words[next]).contains('/')) continue;
      if (words[next].kind == WordKind::quoted || words[next].kind == WordKind::name) return true;
    }
  }
  return false;
}

Classification judge_error_body(const CallEvidence& evidence, const HeaderFacts& headers,
                                const ErrorTree& tree) noexcept {
  ErrorFacts facts(evidence.now);
  facts.read_body(tree, evidence.body);
  if (evidence.body.empty()) facts.add_message(evidence.message);
  Waits waits = waits_of(headers, facts);
  Match found_so_far = judge_answer(evidence.status, headers, facts, waits);
  if (found_so_far.by_status && evidence.status < 500 && is_object(tree.root()) && !facts.has_error()) {
    const Ending ending = ending_of(tree, evidence.domain);
    if (ending.failure) return settle(evidence, *ending.failure, waits);
    if (ending.refused)
      return settle(evidence, found(content_policy, "body", "refusal", "a refusal under a 4xx"), waits);
  }
  if (evidence.domain == Domain::llm && evidence.status == 404 && is_about_model(facts, found_so_far)) {
    found_so_far = found(model_not_found, "body", "model", "a 404 about a function, deployment, endpoint or model");
  }
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

Classification judge_success(const CallEvidence& evidence, const HeaderFacts& headers, const ErrorTree& tree) noexcept {
  Waits waits{.headers = headers.hints};
  switch (tree.end()) {
    case ErrorTree::End::none:
      return judge_bare_success(evidence, headers);
    case ErrorTree::End::truncated:
      return settle(evidence, found(network, "body", "truncated", "JSON that was cut on its way"), waits);
    case ErrorTree::End::broken:
      return settle(evidence, found(service_unavailable, "body", "not JSON", "an answer that cannot be read"), waits);
    case ErrorTree::End::whole:
      break;
  }
  const Ending ending = ending_of(tree, evidence.domain);
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
    return judge_success(evidence, headers, ErrorTree(evidence.body));
  }
  // A status of 0 is none: what is left is the text.
  if (evidence.status == 0 && evidence.body.empty()) return judge_message(evidence);
  const bool has_text = !evidence.body.empty() || !evidence.message.empty();
  if (!has_text && headers.error_type.empty()) {
    Match found_so_far = found(status_row(evidence.status));
    if (const auto row = by_headers(headers)) found_so_far = *row;
    return settle(evidence, found_so_far, {.headers = headers.hints});
  }
  if (is_html(headers.content_type, evidence.body)) {
    return judge_page(evidence, headers, found(status_row(evidence.status)));
  }
  return judge_error_body(evidence, headers, ErrorTree(evidence.body));
}

}  // namespace fuseboard::classify_internal
