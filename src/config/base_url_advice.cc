// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/base_url_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace fuseboard::config {
namespace {

struct KnownHost {
  std::string_view host;  // in lower case; with a dot at its front: any name that ends so
  std::uint16_t port;
  std::string_view path;  // of its OpenAI-compatible interface, as its documentation has it
};
constexpr std::array<KnownHost, 13> kKnownHosts = {{
    {"api.openai.com", 443, "/v1"},
    {"openrouter.ai", 443, "/api/v1"},
    {"api.groq.com", 443, "/openai/v1"},
    {"api.mistral.ai", 443, "/v1"},
    {"api.together.xyz", 443, "/v1"},
    {"api.x.ai", 443, "/v1"},
    {"api.fireworks.ai", 443, "/inference/v1"},
    {"api.cerebras.ai", 443, "/v1"},
    {"generativelanguage.googleapis.com", 443, "/v1beta/openai"},
    {".openai.azure.com", 443, "/openai/v1"},
    {"localhost", 11434, "/v1"},  // Ollama
    {"127.0.0.1", 11434, "/v1"},
    {"::1", 11434, "/v1"},
}};

// What callers' paths end in; the gateway adds it to the base URL itself.
constexpr std::array<std::string_view, 5> kEndpoints = {"/chat/completions", "/completions", "/responses",
                                                        "/embeddings", "/messages"};

std::string lowercase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_at(const BaseUrl& url, const KnownHost& known) {
  const std::string host = lowercase(url.host);
  return url.port == known.port && (known.host.starts_with('.') ? host.ends_with(known.host) : host == known.host);
}

}  // namespace

std::optional<std::string> base_url_advice(const BaseUrl& url, Dialect dialect) {
  for (const std::string_view endpoint : kEndpoints) {
    if (!url.path.ends_with(endpoint)) continue;
    return fmt::format("ends in {}, which is added to it with every request; leave it out", endpoint);
  }
  if (dialect != Dialect::openai) return std::nullopt;
  for (const KnownHost& known : kKnownHosts) {
    if (!is_at(url, known) || url.path == known.path) continue;
    // Azure has older paths that are right with an api-version.
    if (known.host.starts_with('.') && !url.path.empty()) continue;
    BaseUrl meant = url;
    meant.path = known.path;
    return fmt::format("has another path than this host's; {} is probably meant", meant.to_text());
  }
  return std::nullopt;
}

}  // namespace fuseboard::config
