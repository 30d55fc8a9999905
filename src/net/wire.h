// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: heads as they are written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace fuseboard::net {

// How a message's body is delimited, and what becomes of the connection.
struct Framing {
  enum Kind : std::uint8_t { no_body, length, chunked, until_close };
  Kind kind = no_body;
  std::uint64_t size = 0;       // for `length`
  bool close = false;           // "connection: close"
  bool keep_alive_1_0 = false;  // an HTTP/1.0 peer must be told
};

// RFC 9110 5.6.2: what a method and a header's name consist of.
bool is_token(std::string_view text) noexcept;

// Append a head with its final empty line. The headers of framing come from `framing` alone; names that are not tokens
// are left out, control characters in values become spaces, so nothing in them can end a header or begin another.
void append_response_head(std::string& out, const ResponseHead& head, const Framing& framing);
// The method must be a token.
void append_request_head(std::string& out, const RequestHead& head, const Origin& origin, const Framing& framing);

}  // namespace fuseboard::net
