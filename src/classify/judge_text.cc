// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;

constexpr std::uint64_t word(std::string_view text) { return hash_lower(text); }

std::optional<int> error_status(const Words& words, std::size_t at) noexcept {
  if (at >= words.size() || words[at].kind != WordKind::number) return std::nullopt;
  const std::string_view digits = words.text(words[at]);
  if (digits.size() != 3 || (digits[0] != '4' && digits[0] != '5') || !is_digit(digits[1]) || !is_digit(digits[2])) {
    return std::nullopt;
  }
  return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

// Whether the words behind a number are the phrase that goes with it in a status line.
bool has_reason(const Words& words, std::size_t at, int status) noexcept {
  struct Reason {
    int status;
    std::string_view first, second;
  };
  constexpr Reason kReasons[] = {
      {400, "bad", "request"}, {401, "unauthorized", ""},   {402, "payment", "required"}, {403, "forbidden", ""},
      {404, "not", "found"},   {405, "method", "not"},      {408, "request", "timeout"},  {410, "gone", ""},
      {413, "payload", "too"}, {413, "request", "entity"},  {413, "content", "too"},      {422, "unprocessable", ""},
      {429, "too", "many"},    {500, "internal", "server"}, {501, "not", "implemented"},  {502, "bad", "gateway"},
      {503, "service", ""},    {504, "gateway", ""},        {529, "site", "is"}};
  for (const Reason& reason : kReasons) {
    if (reason.status != status || !words.is(at + 1, word(reason.first))) continue;
    if (reason.second.empty() || words.is(at + 2, word(reason.second))) return true;
  }
  // requests: "429 Client Error: Too Many Requests for url".
  const bool is_class = words.is(at + 1, word("client")) || words.is(at + 1, word("server"));
  return is_class && words.is(at + 2, word("error"));
}

// "POST https://api.github.com/repos/o/r/pulls: 422 Validation Failed", as GitHub's clients for Go print it.
bool is_after_url(const Words& words, std::size_t at) noexcept {
  constexpr std::size_t kFarthest = 24;  // parts of a query
  constexpr std::string_view kMethods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  if (!words[at].begins_clause || words[at].begins_line) return false;
  for (std::size_t back = 1; back <= std::min(at, kFarthest); ++back) {
    const std::string_view text = words.text(words[at - back]);
    if (!text.contains("://")) continue;
    return back < at && std::ranges::find(kMethods, words.text(words[at - back - 1])) != std::end(kMethods);
  }
  return false;
}

// "API Error: 529 {...}", "CAPIError: 429 ...", "APIStatusError: 503": the name of a client's error for a status.
bool is_after_api_error(const Words& words, std::size_t at) noexcept {
  if (!words[at].begins_clause || words[at].begins_line) return false;
  if (at >= 2 && words.is(at - 2, word("api")) && words.is(at - 1, word("error"))) return true;
  const std::string_view before = words.text(words[at - 1]);
  for (const std::string_view name :
       {"APIError", "ApiError", "APIStatusError", "HTTPError", "HttpError", "ApiException"}) {
    if (before.ends_with(name)) return true;
  }
  return false;
}

// A number that is said to be a status. Digits alone never are.
std::optional<int> status_in(const Words& words) noexcept {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto status = error_status(words, i);
    if (!status) continue;
    const auto before = [&](std::size_t back, std::string_view text) {
      return i >= back && words.is(i - back, word(text));
    };
    if (before(2, "expected") || before(3, "expected") || before(1, "expected") || before(2, "exit")) continue;
    if (before(1, "http") || before(1, "http/1.1") || before(1, "http/2") || before(1, "http/1.0") ||
        before(1, "http/3")) {
      return status;
    }
    if (before(2, "http") && (before(1, "error") || before(1, "status") || before(1, "code"))) return status;
    if (before(1, "status") || before(1, "statuscode") || before(1, "status_code") || before(1, "http_status")) {
      return status;
    }
    if (before(2, "status") && before(1, "code")) return status;
    if (before(2, "response") && before(1, "code")) return status;
    if (before(1, "status:") || (before(2, "last") && before(1, "status"))) return status;
    if (before(2, "error") && before(1, "code") && words.text().substr(words[i].end).starts_with(" -")) return status;
    if (before(2, "returned") && before(1, "error")) return status;  // curl -f, git
    if (before(2, "npm") && (before(1, "error") || before(1, "err"))) return status;
    if (is_after_url(words, i) || is_after_api_error(words, i)) return status;
    if (has_reason(words, i, *status)) return status;
  }
  // httpx: "Client error '404 Not Found' for url ..."
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i].kind != WordKind::quoted || !words.is(i - 1, word("error"))) continue;
    if (!words.is(i - 2, word("client")) && !words.is(i - 2, word("server"))) continue;
    const Words inner(words.text(words[i]));
    if (const auto status = error_status(inner, 0)) return status;
  }
  // The text may begin with it.
  if (const auto status = error_status(words, 0); status && has_reason(words, 0, *status)) return status;
  // npm error code E404
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view text = words.text(words[i]);
    if (text.size() != 4 || text[0] != 'E' || (text[1] != '4' && text[1] != '5') || !words.is(i - 1, word("code"))) {
      continue;
    }
    if (is_digit(text[2]) && is_digit(text[3])) {
      return (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    }
  }
  return std::nullopt;
}

// Well-known tools answer with nothing but an identifier, as Slack's "channel_not_found" is one.
std::optional<Match> whole_text_code(std::string_view text) noexcept {
  text = trimmed(text);
  // Slack's own clients put a sentence before it.
  for (const std::string_view lead : {"Error: ", "An API error occurred: ", "Slack API error: ", "error: "}) {
    if (starts_folded(text, lead)) text = trimmed(text.substr(lead.size()));
  }
  const bool is_identifier = text.size() >= 4 && text.size() <= 64 && text.find('_') != std::string_view::npos &&
                             std::ranges::all_of(text, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
  const bool is_word = text.size() <= 24 && std::ranges::all_of(text, [](char c) { return is_alpha(c); });
  const CodeRow* row = is_identifier || is_word ? code_row(text) : nullptr;
  if (row == nullptr && is_identifier) row = family_row(text);
  if (row == nullptr || row->weight == Weight::exception) return std::nullopt;
  return found(*row);
}

}  // namespace

std::optional<Match> judge_text(std::optional<WallTime> now, std::string_view text, Waits& waits) noexcept {
  const Words words(text);
  if (!waits.body) waits.body = wait_in(words);
  waits.nothing_allowed = waits.nothing_allowed || allows_nothing(words);
  const auto status = status_in(words);
  {
    ErrorFacts facts(now);
    facts.read_embedded(text);
    if (facts.has_error()) {
      Waits inner{.headers = waits.headers, .body = facts.retry_after()};
      const Match judged = judge_answer(status.value_or(200), {}, facts, inner);
      if (inner.body) waits.body = inner.body;
      waits.nothing_allowed = waits.nothing_allowed || inner.nothing_allowed;
      waits.long_window = facts.long_window();
      waits.short_window = facts.short_window() || inner.short_window;
      return judged;
    }
  }
  const TypedText typed = typed_in(text, words);
  std::optional<Match> known = typed.found;
  if (!known && status) known = found(status_row(*status));
  if (!known) known = whole_text_code(text);
  const PhraseRow* const row =
      known ? refining_row(words, known->conclusion.category, typed.certainty) : phrase_row(words, std::nullopt);
  if (row != nullptr) {
    if (row->conclusion.by_window) waits.short_window = waits.short_window || names_short_window(words);
    known = found(*row);
  }
  if (!known) {
    if (const NumberRow* const weak = rpc_code_in(text)) known = found(*weak, "JSON-RPC code");
  }
  return known;
}

}  // namespace fuseboard::classify_internal
