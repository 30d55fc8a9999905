// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which handler serves a method at a path. Pure: a table is made once and only read from then on, by any thread.
//
//   "/v1/models"             this path and no other
//   "/v1/breakers/{key}"     one segment, not empty
//   "/v1/models/{model...}"  all the rest, slashes and all, at least one byte; only at a pattern's end
//
// Of several patterns that match a path, the first segment in which they differ decides: written out before {one},
// {one} before {all...}. The order in which routes are listed decides nothing.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/task.h"

namespace fuseboard::gateway {

struct RouteContext;
using RouteHandler = net::Task<void> (*)(RouteContext&);

// What a path has in the places of its pattern's parameters. Borrows from the path and from the table.
class RouteParameters {
 public:
  static constexpr std::size_t kMax = 4;

  // Decoded; nullopt: it is not percent-encoded as it should be. A name that the pattern has not is a broken invariant.
  std::optional<std::string> get(std::string_view name) const;

 private:
  friend class RouteTable;
  struct Parameter {
    std::string_view name;
    std::string_view text;  // as in the path
  };
  std::array<Parameter, kMax> parameters_{};
  std::size_t size_ = 0;
};

struct RouteEntry {
  std::string_view method;   // not HEAD: that is GET without the body, which the server leaves out (RFC 9110 9.3.2)
  std::string_view pattern;  // outlives the table
  RouteHandler serve;
};

class RouteTable {
 public:
  // Two entries for the same method at the same pattern, a pattern in two spellings, and one that cannot be read are
  // broken invariants.
  explicit RouteTable(const std::vector<RouteEntry>& entries);

  // What there is at a path. Borrows from it and from the table.
  struct Match {
    RouteHandler serve = nullptr;  // null: the path knows other methods
    RouteParameters parameters{};
    std::string_view methods;  // of the path, as listed: "GET, POST"
    std::string_view allow;    // the same as a header says it, with HEAD
  };
  // nullopt: there is nothing at the path, whatever the method. Linear in the patterns; allocates nothing.
  std::optional<Match> find(std::string_view method, std::string_view path) const;
  bool has(std::string_view path) const;

 private:
  struct Segment {
    enum class Kind : std::uint8_t { literal, one, all };
    Kind kind;
    std::string_view text;  // or the parameter's name
  };
  struct Method {
    std::string_view name;
    RouteHandler serve;
  };
  struct Path {
    std::string_view pattern;
    std::vector<Segment> segments;
    std::vector<Method> methods{};
    std::string method_names{};
    std::string allow{};
  };

  static std::vector<Segment> segments_of(std::string_view pattern);
  static std::weak_ordering order(const Path& a, const Path& b);
  static bool matches(const Path& path, std::string_view text, RouteParameters& parameters);
  Path& path_of(std::string_view pattern);
  const Path* find_path(std::string_view text, RouteParameters& parameters) const;

  std::vector<Path> paths_;  // as they are tried
};

}  // namespace fuseboard::gateway
