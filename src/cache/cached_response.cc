// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/cached_response.h"

namespace fuseboard {

// Capacities, not sizes: an answer that grew as it arrived may hold twice its bytes.
std::size_t CachedResponse::size() const noexcept {
  std::size_t bytes = sizeof(CachedResponse) + target.capacity() + headers.capacity() * sizeof(Header);
  for (const Header& header : headers) bytes += header.name.capacity() + header.value.capacity();
  if (const Body* const body = std::get_if<Body>(&content)) return bytes + body->capacity();
  const Events& events = std::get<Events>(content);
  bytes += events.capacity() * sizeof(std::string);
  for (const std::string& event : events) bytes += event.capacity();
  return bytes;
}

}  // namespace fuseboard
