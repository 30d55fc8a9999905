// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/cause.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "fuseboard/core/escape.h"
#include "fuseboard/core/utf8.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kMaxCharacters = 200;  // TEL-4
constexpr std::size_t kMaxIdRead = 1024;     // of which AttemptNote keeps 63
constexpr std::string_view kEllipsis = "…";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_visible(char c) { return c > ' ' && c <= '~'; }

// Keys and tokens are long and have digits; no word does.
bool may_be_secret(std::string_view word) {
  constexpr std::size_t kLongestWord = 20;
  const auto belongs = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '*'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const bool key_like = word.starts_with("sk-") || word.starts_with("Bearer");
  if (word.size() < kLongestWord && !key_like) return false;
  return key_like || (std::ranges::all_of(word, belongs) && std::ranges::any_of(word, digit));
}

struct Quotes {
  std::string_view open;
  std::string_view close;
};
constexpr std::array<Quotes, 6> kQuotes = {{{"\"", "\""}, {"`", "`"}, {"'", "'"}, {"“", "”"}, {"‘", "’"}, {"«", "»"}}};

// The end of the quotation that begins at `at`; nullopt: none does. One that is never closed goes on to the end. An
// apostrophe within a word opens nothing and closes nothing.
std::optional<std::size_t> end_of_quotation(std::string_view text, std::size_t at) {
  for (const auto& [open, close] : kQuotes) {
    if (!text.substr(at).starts_with(open)) continue;
    const bool apostrophe = open == "'";
    if (apostrophe && at > 0 && is_alphanumeric(text[at - 1])) continue;
    for (std::size_t end = text.find(close, at + open.size()); end != std::string_view::npos;
         end = text.find(close, end + close.size())) {
      const std::size_t after = end + close.size();
      if (!apostrophe || after == text.size() || !is_alphanumeric(text[after])) return after;
    }
    return text.size();
  }
  return std::nullopt;
}

std::string without_quotations(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (const auto end = end_of_quotation(text, at)) {
      out += kEllipsis;
      at = *end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string without_secrets(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find_first_of(" \t,;:=()[]{}<>"), text.size());
    const std::string_view word = text.substr(0, size);
    out += may_be_secret(word) ? kEllipsis : word;
    if (size < text.size()) out += text[size];
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return out;
}

std::string cut(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    if (++characters <= kMaxCharacters) continue;
    return std::string(cut_to_characters(text, at - 1)) +
           std::string(kEllipsis);  // the last one makes place for the mark
  }
  return std::string(text);
}

}  // namespace

std::string cause_of(const net::TransportError& error, const net::Origin& origin) {
  using Kind = net::TransportError::Kind;
  switch (error.kind) {
    case Kind::reset:
      return fmt::format("the connection to {} broke: {}", net::to_text(origin), escape_unprintable(error.message));
    case Kind::closed_early:
      return fmt::format("{} closed the connection before it answered", net::to_text(origin));
    case Kind::truncated:
      return fmt::format("{} closed the connection in the middle of its answer", net::to_text(origin));
    case Kind::malformed:
      return fmt::format("what {} answers is not HTTP/1.1", net::to_text(origin));
    case Kind::cancelled:
      return {};
    default:
      return escape_unprintable(error.message);
  }
}

std::string cause_of_waiting(TransportFault fault, Duration waited) {
  // Part of it was spent before anybody looked at the clock: the limit itself is what people know.
  const Duration limit = std::chrono::milliseconds(ceil_milliseconds(waited));
  switch (fault) {
    case TransportFault::head_timeout:
      return fmt::format("no answer within {}", to_text(limit));
    case TransportFault::first_content_timeout:
      return fmt::format("no content within {}", to_text(limit));
    case TransportFault::idle_timeout:
      return fmt::format("silent for {} in the middle of its answer", to_text(limit));
    default:
      return fmt::format("its answer was not complete within {}", to_text(limit));
  }
}

std::string careful_words(std::string_view words) {
  constexpr std::size_t kMaxRead = 4096;  // what quotations leave of more is not looked for
  std::string text(words.substr(0, kMaxRead));
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  text = cut(without_secrets(without_quotations(escape_unprintable(text))));
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return text;
}

BoundedText<63> upstream_request_id(const net::Headers& headers, const Redactor& secrets) {
  // OpenAI and most others; Anthropic; AWS; Azure's API management; Cloudflare, which stands before several.
  for (const std::string_view name : {"x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray"}) {
    const std::string_view value = headers.get(name);
    if (value.empty()) continue;
    std::string id(value.substr(0, kMaxIdRead));
    secrets.redact(id);  // before it is cut: a part of a secret is none that would be found
    std::ranges::replace_if(id, [](char c) { return !is_visible(c); }, '?');
    return std::string_view(id);
  }
  return {};
}

std::string causes(const CallRecord& record, const Plan& plan) {
  struct Told {
    std::uint32_t target;
    const AttemptNote* note;
  };
  BoundedList<Told, 6> told;
  for (const AttemptRecord& attempt : record.attempts) {
    const AttemptNote* const note = attempt.failure ? record.note_of(attempt.number) : nullptr;
    if (note == nullptr || note->cause.empty()) continue;
    if (!told.empty() && told.back().target == attempt.target) {
      told.back().note = note;
    } else {
      told.push_back({attempt.target, note});
    }
  }
  std::string text;
  for (const auto& [target, note] : told) {
    const std::string_view name = plan.targets()[target].name;
    text += fmt::format("{}provider \"{}\": {}", text.empty() ? "" : "; ", name.substr(0, name.find('/')),
                        note->cause.view());
    if (!note->upstream_request_id.empty())
      text += fmt::format(" (upstream request id {})", note->upstream_request_id.view());
  }
  return text;
}

std::string summary(const CallRecord& record, const Plan& plan) {
  const std::int64_t milliseconds = ceil_milliseconds(record.duration());
  if (record.attempts.empty()) return fmt::format("no attempt was sent in {} ms", milliseconds);
  const AttemptRecord& last = record.attempts.back();
  const std::string_view how = last.failure ? name(last.failure->category) : std::string_view("success");
  const std::string numbers =
      fmt::format("{} attempt{} in {} ms; the last, on {}, ended with {}", record.attempts_sent,
                  record.attempts_sent == 1 ? "" : "s", milliseconds, plan.targets()[last.target].name, how);
  const std::string told = causes(record, plan);
  return told.empty() ? numbers : fmt::format("{} ({})", told, numbers);
}

}  // namespace fuseboard::gateway
