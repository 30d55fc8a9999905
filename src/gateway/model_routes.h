// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The routes that callers of models use: everything below /v1/.
#pragma once

#include <string>
#include <string_view>

#include "gateway/route_context.h"
#include "llm/dialect.h"
#include "net/http.h"
#include "net/task.h"

namespace fuseboard::gateway {

// Which dialect a caller expects answers in, errors too: Anthropic's for its paths and for whoever names a version of
// its API, else OpenAI's.
llm::Dialect caller_dialect(std::string_view path, const net::Headers& headers) noexcept;

// POST /v1/...: reads the request and relays it.
net::Task<void> call_model(RouteContext& context);

// GET /v1/models and GET /v1/models/{model...}.
net::Task<void> list_models(RouteContext& context);
net::Task<void> show_model(RouteContext& context);

}  // namespace fuseboard::gateway
