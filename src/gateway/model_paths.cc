// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/model_paths.h"

#include <algorithm>

namespace fuseboard::gateway {

ModelPath model_path(std::string_view path) noexcept {
  const auto* const known = std::ranges::find(kModelPaths, path, &ModelPath::path);
  return known != kModelPaths.end() ? *known : ModelPath{.path = path};
}

std::uint8_t endpoint_number(std::string_view path) noexcept {
  const auto is_this = [path](std::string_view known) {
    return known == path || known.substr(kVersionPrefix.size()) == path;
  };
  const auto* const known = std::ranges::find_if(kModelPaths, is_this, &ModelPath::path);
  return static_cast<std::uint8_t>(known - kModelPaths.begin());
}

std::string_view endpoint_path(std::uint8_t number) noexcept {
  return number < kModelPaths.size() ? kModelPaths[number].path : std::string_view("other");
}

}  // namespace fuseboard::gateway
