// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <charconv>

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
    if (before(2, "error") && before(1, "code") && words.text().substr(words[i].end).starts_with(" -")) return status;
    if (before(2, "returned") && before(1, "error")) return status;  // curl -f, git
    if (before(2, "npm") && (before(1, "error") || before(1, "err"))) return status;
    if (has_reason(words, i, *status)) return status;
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

// "curl: (28) Operation timed out"
const TypedRow* curl_in(std::string_view text) noexcept {
  const std::size_t at = text.substr(0, Words::kMaxHead).find("curl: (");
  if (at == std::string_view::npos) return nullptr;
  int code = 0;
  const std::string_view digits = text.substr(at + 7, 4);
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return curl_row(code);
}

// "MCP error -32001: Request timed out"
const NumberRow* rpc_code_in(std::string_view text) noexcept {
  const std::size_t at = text.substr(0, Words::kMaxHead).find("error -32");
  if (at == std::string_view::npos) return nullptr;
  int code = 0;
  const std::string_view digits = text.substr(at + 6, 7);
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return json_rpc_row(code);
}

bool is_code_word(std::string_view text) noexcept {
  if (text.size() < 4 || (text[0] != 'E' && text[0] != 'U' && text[0] != 'C' && text[0] != 'D' && text[0] != 'S')) {
    return false;
  }
  for (const char c : text) {
    if (!(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '_') return false;
  }
  return true;
}

// ECONNREFUSED, EAI_AGAIN, UND_ERR_SOCKET: names that nobody writes without meaning them.
const TypedRow* errno_in(const Words& words) noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::plain && words[i].kind != WordKind::name) continue;
    const std::string_view text = words.text(words[i]);
    if (!is_code_word(text)) continue;
    if (const TypedRow* const row = errno_row(text)) return row;
  }
  return nullptr;
}

bool looks_like_exception(std::string_view name) noexcept {
  if (name.empty() || name[0] < 'A' || name[0] > 'Z') return false;
  for (const std::string_view ending : {"Error", "Exception", "Timeout", "Expired", "Interrupt", "Disconnected"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

std::string_view last_segment(std::string_view name) noexcept {
  const std::size_t at = name.find_last_of(".:$/");
  return at == std::string_view::npos ? name : name.substr(at + 1);
}

// The class of an exception, "openai.RateLimitError: ...", or a code in its place: "An error occurred (AccessDenied)
// when ...", "StatusCode.UNAVAILABLE", "rpc error: code = Unavailable desc = ...". Of several the last, which is the
// cause.
const CodeRow* exception_in(const Words& words) noexcept {
  const CodeRow* last = nullptr;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::plain && words[i].kind != WordKind::name) continue;
    const std::string_view text = words.text(words[i]);
    const std::string_view name = last_segment(text);
    const char after = words[i].end < words.text().size() ? words.text()[words[i].end] : '\n';
    const bool stands_as_class = after == ':' || after == '(' || after == ')' || after == '\n' || after == '\r';
    const bool is_class = stands_as_class && looks_like_exception(name);
    const bool is_grpc =
        text.starts_with("StatusCode.") ||
        (i >= 3 && words.is(i - 3, word("rpc")) && words.is(i - 2, word("error")) && words.is(i - 1, word("code")));
    const bool is_aws = after == ')' && i > 0 && words.is(i - 1, word("occurred"));
    if (!is_class && !is_grpc && !is_aws) continue;
    if (const CodeRow* const row = code_row(name)) last = row;
  }
  return last;
}

std::optional<Found> typed_in(std::string_view text, const Words& words) noexcept {
  if (const TypedRow* const row = curl_in(text); row != nullptr) return found(*row);
  if (const NumberRow* const row = rpc_code_in(text); row != nullptr && !row->weak) return found(*row, "JSON-RPC code");
  if (const TypedRow* const row = errno_in(words)) return found(*row);
  if (const CodeRow* const row = exception_in(words)) return found(*row);
  return std::nullopt;
}

}  // namespace

std::optional<Found> judge_text(std::string_view text, WallTime now, Waits& waits) noexcept {
  const Words words(text);
  if (!waits.body) waits.body = wait_in(words);
  waits.nothing_allowed = waits.nothing_allowed || allows_nothing(words);
  const auto status = status_in(words);
  {
    ErrorFacts facts(now);
    facts.read_embedded(text);
    if (facts.has_error()) {
      Waits inner{.headers = waits.headers, .body = facts.retry_after()};
      const Found judged = judge_answer(status.value_or(200), {}, facts, inner);
      if (inner.body) waits.body = inner.body;
      waits.nothing_allowed = waits.nothing_allowed || inner.nothing_allowed;
      waits.long_window = facts.long_window();
      waits.short_window = facts.short_window();
      return judged;
    }
  }
  std::optional<Found> known = typed_in(text, words);
  if (!known && status) known = found(status_row(*status));
  if (const PhraseRow* const row = phrase_row(words, known ? std::optional(known->finding.category) : std::nullopt)) {
    known = found(*row);
  }
  if (!known) {
    if (const NumberRow* const row = rpc_code_in(text)) known = found(*row, "JSON-RPC code");
  }
  return known;
}

}  // namespace fuseboard::classify_internal
