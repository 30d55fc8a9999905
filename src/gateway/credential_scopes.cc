// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/credential_scopes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "fuseboard/route/credentials.h"
#include "llm/digest.h"

namespace fuseboard::gateway {
namespace {

constexpr std::array<std::string_view, 13> kPaths = {
    "/v1/chat/completions",      "/v1/responses",    "/v1/embeddings",   "/v1/messages",
    "/v1/messages/count_tokens", "/v1/completions",  "/v1/moderations",  "/v1/rerank",
    "/v1/images/generations",    "/v1/images/edits", "/v1/audio/speech", "/v1/audio/transcriptions",
    "/v1/audio/translations"};
constexpr std::uint8_t kOther = kPaths.size();
static_assert(kOther < kMaxEndpoints);

// Providers of the OpenAI dialect are asked without it: their base URL has it.
constexpr std::string_view kVersion = "/v1";

// With which a caller says whose account is to be used.
constexpr std::array<std::string_view, 3> kAccountHeaders = {"openai-organization", "openai-project",
                                                             "x-goog-user-project"};

// By which a provider tells callers apart.
constexpr std::array<std::string_view, 6> kCallersOwn = {"authorization",  "x-api-key",           "api-key",
                                                         "x-goog-api-key", "openai-organization", "openai-project"};

// What is held against an account.
constexpr CategorySet kOfAccounts = {Category::authentication, Category::permission_denied, Category::quota_exhausted,
                                     Category::rate_limit};

}  // namespace

std::string_view name(ParkedCredential::Part part) noexcept {
  switch (part) {
    case ParkedCredential::Part::credential:
      return "credential";
    case ParkedCredential::Part::model:
      return "model";
    case ParkedCredential::Part::endpoint:
      return "endpoint";
  }
  return "unknown";
}

std::uint8_t endpoint_number(std::string_view path) noexcept {
  const auto is_this = [&](std::string_view known) { return known == path || known.substr(kVersion.size()) == path; };
  return static_cast<std::uint8_t>(std::ranges::find_if(kPaths, is_this) - kPaths.begin());
}

std::string_view endpoint_path(std::uint8_t number) noexcept {
  return number < kOther ? kPaths[number] : std::string_view("other");
}

CallerHash caller_hash(const net::Headers& caller) {
  std::string text;
  for (const std::string_view name : kCallersOwn) {
    const auto value = caller.find(name);
    if (!value) continue;
    text.append(name).append(":").append(std::to_string(value->size())).append(":").append(*value);
  }
  CallerHash hash;
  if (text.empty()) return hash;
  const auto digest = llm::sha256(text);
  std::memcpy(&hash.high, digest.data(), sizeof(hash.high));
  std::memcpy(&hash.low, digest.data() + sizeof(hash.high), sizeof(hash.low));
  return hash;
}

bool names_callers_account(const net::Headers& caller, const net::Headers& sent) noexcept {
  return std::ranges::any_of(kAccountHeaders, [&](std::string_view name) {
    const auto asked = caller.find(name);
    return asked && sent.find(name) == asked;
  });
}

FailureScope scope_here(const Failure& failure, bool callers_account) noexcept {
  if (callers_account && kOfAccounts.contains(failure.category)) return FailureScope::caller;
  return failure.scope == FailureScope::caller ? FailureScope::unnamed : failure.scope;
}

}  // namespace fuseboard::gateway
