// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which headers travel between caller, gateway and upstream. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/provider.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// Whether `name` is longer than `prefix`, which is in lower case, and begins with it. Nearly every name differs in its
// first letter.
inline bool begins_with(std::string_view name, std::string_view prefix) noexcept {
  return name.size() > prefix.size() && (name.front() | 0x20) == prefix.front() &&
         net::starts_with_ignoring_case(name, prefix);
}

// The caller's head as the upstream gets it, with its query. Of its headers those go that a dialect defines, and those
// that the provider's `forward_headers` names; its credential is replaced by the provider's. `path` follows the
// provider's prefix: "/chat/completions", or "/v1/messages" for an anthropic provider.
// - The provider's headers and parameters win over the caller's of the same name.
// - auth: passthrough lets the caller's credentials and accounts through, whatever their names; to a provider of
// another
//   dialect the one credential in that dialect's header.
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
  std::string_view upstream_request_id{};       // what the target calls the request; empty: it does not say
};

// The upstream's head as the caller gets it. `spoken` is the upstream's dialect: to a caller of the other one, what
// means something in that dialect alone stays behind. A head that is moved in is rewritten where it stands; `served_by`
// must not point into it.
net::ResponseHead caller_response(net::ResponseHead upstream, const ServedBy& served_by, llm::Dialect spoken);

// Whether a head calls its body a stream of events, which it need not be.
bool is_event_stream(const net::Headers& headers) noexcept;

// Of an answer whose body was written here: what the upstream said of its own body does not hold.
void describe_own_body(net::Headers& headers, bool streamed);

void add_served_by(net::Headers& headers, const ServedBy& served_by);

}  // namespace fuseboard::gateway
