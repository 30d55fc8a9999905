// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/route_table.h"

#include <algorithm>
#include <utility>

#include "fuseboard/core/check.h"
#include "net/http.h"

namespace fuseboard::gateway {
namespace {

void append_to_list(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

}  // namespace

std::optional<std::string> RouteParameters::get(std::string_view name) const {
  const auto end = parameters_.begin() + size_;
  const auto found = std::find_if(parameters_.begin(), end, [&](const Parameter& one) { return one.name == name; });
  check_invariant(found != end, "a handler asks for a parameter of its own pattern");
  return net::percent_decode(found->text);
}

RouteTable::RouteTable(const std::vector<RouteEntry>& entries) {
  for (const RouteEntry& entry : entries) {
    check_invariant(entry.method != "HEAD", "HEAD is served as GET");
    Path& path = path_of(entry.pattern);
    check_invariant(std::ranges::find(path.methods, entry.method, &Method::name) == path.methods.end(),
                    "a method at a path has one route");
    path.methods.push_back({.name = entry.method, .serve = entry.serve});
    append_to_list(path.method_names, entry.method);
    append_to_list(path.allow, entry.method == "GET" ? "GET, HEAD" : entry.method);
  }
}

RouteTable::Path& RouteTable::path_of(std::string_view pattern) {
  Path path{.pattern = pattern, .segments = segments_of(pattern)};
  const auto place = std::ranges::find_if(paths_, [&](const Path& other) { return std::is_gteq(order(other, path)); });
  if (place == paths_.end() || order(*place, path) != 0) return *paths_.insert(place, std::move(path));
  check_invariant(place->pattern == pattern, "routes of one path write it in one way");
  return *place;
}

std::vector<RouteTable::Segment> RouteTable::segments_of(std::string_view pattern) {
  check_invariant(pattern.starts_with('/'), "a route's pattern begins with a slash");
  std::vector<Segment> segments;
  std::size_t parameters = 0;
  for (std::size_t at = 0; at != pattern.npos; at = pattern.find('/', at + 1)) {
    std::string_view text = pattern.substr(at + 1, pattern.find('/', at + 1) - at - 1);
    Segment segment{.kind = Segment::Kind::literal, .text = text};
    if (text.starts_with('{') && text.ends_with('}')) {
      text = text.substr(1, text.size() - 2);
      const bool all = text.ends_with("...");
      if (all) text.remove_suffix(3);
      segment = {.kind = all ? Segment::Kind::all : Segment::Kind::one, .text = text};
      check_invariant(!text.empty() && ++parameters <= RouteParameters::kMax, "a route has few parameters, each named");
      check_invariant(std::ranges::none_of(segments,
                                           [&](const Segment& earlier) {
                                             return earlier.kind != Segment::Kind::literal && earlier.text == text;
                                           }),
                      "a route names a parameter once");
    }
    check_invariant(text.find_first_of("{}") == text.npos, "a parameter is a whole segment");
    check_invariant(segments.empty() || segments.back().kind != Segment::Kind::all, "nothing follows all the rest");
    segments.push_back(segment);
  }
  return segments;
}

// What parameters are called does not matter.
std::weak_ordering RouteTable::order(const Path& a, const Path& b) {
  const auto of_segments = [](const Segment& left, const Segment& right) -> std::weak_ordering {
    const bool literal = left.kind == Segment::Kind::literal && right.kind == Segment::Kind::literal;
    return literal ? left.text <=> right.text : left.kind <=> right.kind;
  };
  return std::lexicographical_compare_three_way(a.segments.begin(), a.segments.end(), b.segments.begin(),
                                                b.segments.end(), of_segments);
}

bool RouteTable::matches(const Path& path, std::string_view text, RouteParameters& parameters) {
  parameters.size_ = 0;
  for (const Segment& segment : path.segments) {
    if (!text.starts_with('/')) return false;
    text.remove_prefix(1);
    const std::string_view here = segment.kind == Segment::Kind::all ? text : text.substr(0, text.find('/'));
    if (segment.kind == Segment::Kind::literal) {
      if (here != segment.text) return false;
    } else {
      if (here.empty()) return false;
      parameters.parameters_[parameters.size_++] = {.name = segment.text, .text = here};
    }
    text.remove_prefix(here.size());
  }
  return text.empty();
}

const RouteTable::Path* RouteTable::find_path(std::string_view text, RouteParameters& parameters) const {
  const auto found = std::ranges::find_if(paths_, [&](const Path& path) { return matches(path, text, parameters); });
  return found == paths_.end() ? nullptr : &*found;
}

std::optional<RouteTable::Match> RouteTable::find(std::string_view method, std::string_view path) const {
  Match match;
  const Path* const found = find_path(path, match.parameters);
  if (found == nullptr) return std::nullopt;
  const auto serving = std::ranges::find(found->methods, method == "HEAD" ? "GET" : method, &Method::name);
  if (serving != found->methods.end()) match.serve = serving->serve;
  match.methods = found->method_names;
  match.allow = found->allow;
  return match;
}

bool RouteTable::has(std::string_view path) const {
  RouteParameters ignored;
  return find_path(path, ignored) != nullptr;
}

}  // namespace fuseboard::gateway
