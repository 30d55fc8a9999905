// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The paths below /v1/ at which models are asked, in one table. What is posted to another one is relayed too if its
// body names a model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuseboard/route/credentials.h"
#include "llm/dialect.h"

namespace fuseboard::gateway {

// Providers of the OpenAI dialect are configured with it in their base URL, Anthropic's without it, as the SDKs have
// it.
inline constexpr std::string_view kVersionPrefix = "/v1";

struct ModelPath {
  std::string_view path;  // as callers write it
  llm::Endpoint endpoint = llm::Endpoint::other;
  bool idempotent = false;  // may be asked again [RTY-7]: what else is posted may create something
};

// A path's place is its number, by which credentials are parked for an endpoint (CredentialUse).
inline constexpr std::array<ModelPath, 13> kModelPaths = {
    {{.path = "/v1/chat/completions", .endpoint = llm::Endpoint::chat_completions, .idempotent = true},
     {.path = "/v1/responses", .endpoint = llm::Endpoint::responses, .idempotent = true},
     {.path = "/v1/embeddings", .endpoint = llm::Endpoint::embeddings, .idempotent = true},
     {.path = "/v1/messages", .endpoint = llm::Endpoint::messages, .idempotent = true},
     {.path = "/v1/messages/count_tokens", .endpoint = llm::Endpoint::count_tokens, .idempotent = true},
     {.path = "/v1/completions", .idempotent = true},
     {.path = "/v1/moderations", .idempotent = true},
     {.path = "/v1/rerank", .idempotent = true},
     {.path = "/v1/images/generations", .idempotent = true},
     {.path = "/v1/images/edits"},
     {.path = "/v1/audio/speech", .idempotent = true},
     {.path = "/v1/audio/transcriptions"},
     {.path = "/v1/audio/translations"}}};
static_assert(kModelPaths.size() < kMaxEndpoints, "all other paths share a number");

// What is known of a path as callers write it. Of one that is not in the table: another endpoint, not idempotent.
ModelPath model_path(std::string_view path) noexcept;

// The number of an upstream's path: "/v1/embeddings", or without its version.
std::uint8_t endpoint_number(std::string_view path) noexcept;
// As callers write it; "other" for the paths that share a number.
std::string_view endpoint_path(std::uint8_t number) noexcept;

}  // namespace fuseboard::gateway
