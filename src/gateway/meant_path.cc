// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/meant_path.h"

#include <algorithm>

#include "gateway/model_paths.h"

namespace fuseboard::gateway {
namespace {

constexpr std::size_t kLongest = 200;  // nobody means a longer one

bool is_known(std::string_view path, const RouteTable& routes) {
  return std::ranges::find(kModelPaths, path, &ModelPath::path) != kModelPaths.end() || routes.has(path);
}

std::string without_double_slashes(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || !out.ends_with('/')) out += c;
  }
  while (out.size() > 1 && out.ends_with('/')) out.pop_back();
  return out;
}

}  // namespace

std::optional<std::string> meant_path(std::string_view path, const RouteTable& routes) {
  if (path.size() > kLongest || !path.starts_with('/') || is_known(path, routes)) return std::nullopt;
  std::string clean = without_double_slashes(path);
  if (is_known(clean, routes)) return clean;
  std::string_view rest = clean;
  while (rest.starts_with("/v1/v1/")) rest.remove_prefix(kVersionPrefix.size());
  if (rest.size() < clean.size()) return std::string(rest);
  // What else begins with the version is a path of the provider's, perhaps with one of these names in it.
  if (rest.starts_with("/v1/")) return std::nullopt;
  for (std::size_t at = 0; at != std::string_view::npos; at = rest.find('/', at + 1)) {
    std::string versioned = std::string(kVersionPrefix).append(rest.substr(at));
    if (is_known(versioned, routes)) return versioned;
  }
  return std::nullopt;
}

}  // namespace fuseboard::gateway
