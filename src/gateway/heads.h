// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which headers travel between caller, gateway and upstream. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/model_table.h"
#include "net/http.h"

namespace fuseboard::gateway {

// The caller's head as the upstream gets it: its credential replaced by the provider's, what concerns one connection,
// the gateway itself or compression left out, everything else untouched. `path` follows the provider's prefix.
net::RequestHead upstream_request(const net::RequestHead& caller, const Provider& provider, std::string_view path);

// What every answer says about who gave it.
struct ServedBy {
  std::string_view request_id;
  std::string_view target;  // empty: no target answered
  std::uint32_t attempts = 0;
  bool demo = false;  // answers of the built-in demo say so
};

// The upstream's head as the caller gets it.
net::ResponseHead caller_response(const net::ResponseHead& upstream, const ServedBy& served_by);

void add_served_by(net::Headers& headers, const ServedBy& served_by);

}  // namespace fuseboard::gateway
