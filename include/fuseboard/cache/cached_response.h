// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A stored answer. What comes out is what went in, to the byte [CCH-2]: it is kept as it arrived, and nobody reads it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace fuseboard {

struct CachedResponse {
  struct Header {
    std::string name;
    std::string value;
    friend bool operator==(const Header&, const Header&) = default;
  };
  using Body = std::string;
  using Events = std::vector<std::string>;  // of a stream, in order, each as it went to the caller

  std::string target;                  // who answered
  std::vector<Header> headers;         // those that belong to the answer, content-type say
  std::variant<Body, Events> content;  // a streaming request has its events replayed [CCH-6]

  bool streamed() const noexcept { return std::holds_alternative<Events>(content); }
  // What it takes in memory, about: every byte of it, and what holds them.
  std::size_t size() const noexcept;

  friend bool operator==(const CachedResponse&, const CachedResponse&) = default;
};

// Immutable and shared: a hit copies no bytes, and eviction takes nothing from those who are reading.
using CachedResponsePtr = std::shared_ptr<const CachedResponse>;

}  // namespace fuseboard
