// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A text that must not be seen: credentials, and header values that may carry them [TEL-4].
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace fuseboard::config {

// Prints as "***" wherever it is printed; nothing converts it to text by accident. Whoever sends it calls reveal().
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  const std::string& reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << kMask; }

  static constexpr std::string_view kMask = "***";

 private:
  std::string text_;
};

}  // namespace fuseboard::config
