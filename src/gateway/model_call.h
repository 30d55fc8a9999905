// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One call as it was read from its caller, in the handler of its exchange.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "fuseboard/pipeline/execution.h"
#include "gateway/route.h"
#include "gateway/routing.h"
#include "llm/dialect.h"
#include "llm/request.h"
#include "net/body.h"

namespace fuseboard::gateway {

// The views are of the exchange's head and of the handler's own: they hold until the handler ends.
struct ModelCall {
  llm::Endpoint endpoint = llm::Endpoint::chat_completions;
  llm::Dialect dialect = llm::Dialect::openai;  // the caller's
  std::string_view path;                        // as asked for: "/v1/chat/completions"
  std::shared_ptr<const Routing> routing{};     // that it began with
  std::shared_ptr<const Route> route;
  llm::RequestFacts facts;
  net::Body body;
  std::string_view request_id;
  CallOptions options;
};

}  // namespace fuseboard::gateway
