// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which headers travel between caller, gateway and upstream. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/model_table.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// The caller's head as the upstream gets it: its credential replaced by the provider's, what concerns one connection,
// the gateway itself or compression left out, everything else untouched, its query included. `path` follows the
// provider's prefix: "/chat/completions", or "/v1/messages" for an anthropic provider.
// - The provider's headers and parameters win over the caller's of the same name.
// - auth: passthrough lets the caller's credential through, to a provider of another dialect in that dialect's header.
// - Where the caller speaks another dialect than the provider, the headers of that dialect and its SDKs and the query
//   stay behind, and the body is JSON.
// - An anthropic provider is told a version, the caller's if it speaks that dialect and names one.
net::RequestHead upstream_request(const net::RequestHead& caller, const Provider& provider, std::string_view path,
                                  llm::Dialect spoken);

// What every answer says about who gave it.
struct ServedBy {
  std::string_view request_id;
  std::string_view target;  // empty: no target answered
  std::uint32_t attempts = 0;
  bool demo = false;                            // answers of the built-in demo say so
  llm::Dialect dialect = llm::Dialect::openai;  // the caller's
};

// The upstream's head as the caller gets it. `spoken` is the upstream's dialect: to a caller of the other one, what
// means something in that dialect alone stays behind.
net::ResponseHead caller_response(const net::ResponseHead& upstream, const ServedBy& served_by, llm::Dialect spoken);

void add_served_by(net::Headers& headers, const ServedBy& served_by);

}  // namespace fuseboard::gateway
