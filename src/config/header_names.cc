// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/header_names.h"

#include <algorithm>
#include <array>

namespace fuseboard::config {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// A word of a name, between hyphens, underscores and dots.
bool is_secret_word(std::string_view word) {
  constexpr std::array<std::string_view, 18> kWords = {
      "apikey", "auth", "authentication", "authorization", "bearer",   "cookie", "cookie2", "credential", "credentials",
      "jwt",    "key",  "keys",           "passwd",        "password", "pat",    "secret",  "signature",  "token"};
  return is_one_of(kWords, word);
}

}  // namespace

std::string lowercase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_header_name(std::string_view text) {
  // RFC 9110, section 5.6.2: token.
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

bool is_never_forwarded(std::string_view lower) {
  constexpr std::array<std::string_view, 18> kNames = {"accept-encoding",
                                                       "connection",
                                                       "content-encoding",
                                                       "content-length",
                                                       "cookie",
                                                       "expect",
                                                       "host",
                                                       "http2-settings",
                                                       "keep-alive",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "request-id",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "x-request-id"};
  return is_one_of(kNames, lower) || lower.starts_with("x-fuseboard-");
}

bool is_credential_header(std::string_view lower) {
  constexpr std::string_view kOfSdks = "x-stainless-";
  if (lower.starts_with(kOfSdks)) lower.remove_prefix(kOfSdks.size());
  constexpr std::array<std::string_view, 7> kAccounts = {
      "anthropic-organization-id", "cf-access-client-id", "chatgpt-account-id",
      "openai-organization",       "openai-project",      "x-goog-user-project",
      "x-openai-organization"};
  if (is_one_of(kAccounts, lower)) return true;
  while (!lower.empty()) {
    const std::size_t end = std::min(lower.find_first_of("-_."), lower.size());
    if (is_secret_word(lower.substr(0, end))) return true;
    lower.remove_prefix(std::min(end + 1, lower.size()));
  }
  return false;
}

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the latest, and how much of `text` it stands for
  std::size_t after_star = 0;
  std::size_t in_pattern = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      after_star = at;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == text[at]) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++after_star;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
  return in_pattern == pattern.size();
}

}  // namespace fuseboard::config
