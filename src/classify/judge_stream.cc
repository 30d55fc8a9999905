// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

// What a stream has said so far.
struct StreamFacts {
  std::optional<Classification> error{};
  std::optional<Match> failure{};
  bool finished = false;
  bool malformed = false;
  bool event_seen = false;
};

void read_payload(const CallEvidence& evidence, const HeaderFacts& headers, std::string_view payload,
                  bool is_error_event, StreamFacts& facts) noexcept {
  payload = trimmed(payload);
  if (payload.empty()) return;
  facts.event_seen = true;
  if (payload.starts_with("[DONE]")) {  // as OpenAI's own SDKs look for it
    facts.finished = true;
    return;
  }
  const ErrorTree tree(payload);
  if (tree.end() != ErrorTree::End::whole) {
    if (is_error_event && !facts.error) {
      Waits waits{.headers = headers.hints};
      const auto judged = judge_text(evidence.now, payload, waits);
      facts.error = settle(evidence, judged.value_or(found(status_row(500))), waits);
    }
    facts.malformed = true;
    return;
  }
  const Ending ending = ending_of(tree, evidence.domain);
  if (ending.is_error || is_error_event) {
    if (facts.error) return;
    ErrorFacts error(evidence.now);
    error.read_body(tree, payload);
    Waits waits = waits_of(headers, error);
    facts.error = settle(evidence, judge_answer(200, headers, error, waits), waits);
    return;
  }
  if (ending.failure && !facts.failure) facts.failure = ending.failure;
  facts.finished = facts.finished || ending.finished;
}

// Server-sent events, and the lines of JSON that Ollama sends.
void read_lines(const CallEvidence& evidence, const HeaderFacts& headers, StreamFacts& facts) noexcept {
  std::string_view rest = evidence.body;
  bool is_error_event = false;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    const std::string_view line = rest.substr(0, end);
    const bool is_whole = end < rest.size();
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with("event:")) {
      is_error_event = equal_folded(trimmed(line.substr(6)), "error");
      facts.event_seen = true;
    } else if (line.starts_with("data:")) {
      // A line that the end of the stream cut is no event.
      if (is_whole || ErrorTree(line.substr(5)).end() != ErrorTree::End::truncated) {
        read_payload(evidence, headers, line.substr(5), is_error_event, facts);
      }
      is_error_event = false;
    } else if (line.starts_with('{') || line.starts_with('[')) {
      if (is_whole || ErrorTree(line).end() == ErrorTree::End::whole) {
        read_payload(evidence, headers, line, false, facts);
      }
    }
  }
}

}  // namespace

Classification judge_stream(const CallEvidence& evidence) noexcept {
  const HeaderFacts headers = read_headers(evidence);
  if (evidence.status != 0 && (evidence.status < 200 || evidence.status > 299)) {
    CallEvidence answer = evidence;
    answer.channel = Channel::http;
    return judge_http(answer);
  }
  const Waits waits{.headers = headers.hints};
  if (is_html(headers.content_type, evidence.body)) {
    return settle(evidence, found(service_unavailable, "body", "html", "a page in place of a stream"), waits);
  }
  StreamFacts facts;
  const std::string_view body = trimmed(evidence.body.substr(0, 64));
  // One JSON value over several lines: an answer that did not stream after all, or a whole Gemini stream.
  if (body.starts_with('{') || body.starts_with('[')) {
    if (const ErrorTree tree(evidence.body); tree.end() == ErrorTree::End::whole && evidence.body.contains('\n')) {
      read_payload(evidence, headers, evidence.body.substr(0, tree.size()), false, facts);
    }
  }
  read_lines(evidence, headers, facts);
  if (facts.error) return *facts.error;
  if (facts.failure) return settle(evidence, *facts.failure, waits);
  if (facts.finished && facts.malformed) {
    return settle(evidence, found(service_unavailable, "stream", "malformed", "an event that cannot be read"), waits);
  }
  if (facts.finished) return kNothingFailed;
  return settle(evidence, found(network, "stream", "no end", "the dialect's last event did not come"), waits);
}

}  // namespace fuseboard::classify_internal
