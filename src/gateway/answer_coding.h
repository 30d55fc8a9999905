// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers that come in a content coding although none was asked for: they must be read to be judged, and are handed on
// plain.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "net/content_coding.h"
#include "net/http.h"

namespace fuseboard::gateway {

// What takes the codings off an answer's body, and the head says so no longer. nullopt within: there is none. An error
// where a coding is not known.
std::expected<std::optional<net::ContentDecoder>, net::UnknownCoding> take_coding(net::ResponseHead& head);

// All of a body. An error where it is not what its head says, or longer than `max_bytes`.
net::Task<std::expected<std::string, net::DecodeError>> plain_body(net::Loop& loop, net::ResponseHead& head,
                                                                   std::string body, std::size_t max_bytes,
                                                                   net::DecodeMemory memory = {});

}  // namespace fuseboard::gateway
