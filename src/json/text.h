// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A text on its way from one JSON text to another.
#pragma once

#include <string_view>

namespace fuseboard::json {

// Characters, or, as most that are passed on need not be read, how a JSON string writes them.
struct Text {
  std::string_view bytes{};
  bool is_raw = true;  // as it stands between the quotes of a JSON string

  bool empty() const noexcept { return bytes.empty(); }
};

}  // namespace fuseboard::json
