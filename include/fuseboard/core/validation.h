// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Options are checked when a policy is built: every problem at once, each with field, value and allowed range [CORE-6].
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/core/time.h"

namespace fuseboard {

struct Problem {
  std::string field;    // dotted path, e.g. "breaker.failure_threshold"
  std::string value;    // as given
  std::string allowed;  // e.g. "1 to 1000000"

  std::string message() const;  // "breaker.failure_threshold: 0 is not allowed; allowed: 1 to 1000000"
  friend bool operator==(const Problem&, const Problem&) = default;
};
using Problems = std::vector<Problem>;

// Thrown by constructors that take options which validate() would refuse. what() lists every problem, one a line.
class InvalidOptions : public std::invalid_argument {
 public:
  explicit InvalidOptions(Problems problems);
  const Problems& problems() const noexcept { return problems_; }

 private:
  Problems problems_;
};

// Collects problems while validate() walks an options struct.
class Validator {
 public:
  template <std::integral T>
  void in_range(std::string_view field, T value, T low, T high) {
    if (value < low || value > high)
      add(field, std::to_string(value), std::to_string(low) + " to " + std::to_string(high));
  }
  // NaN and infinities are outside every range.
  void in_range(std::string_view field, double value, double low, double high);
  void in_range(std::string_view field, Duration value, Duration low, Duration high);
  void require(bool holds, std::string_view field, std::string_view value, std::string_view allowed) {
    if (!holds) add(field, std::string(value), std::string(allowed));
  }
  void add(std::string_view field, std::string value, std::string allowed);
  // Takes over the problems of a nested struct under `prefix`.
  void merge(std::string_view prefix, Problems nested);

  Problems take() && { return std::move(problems_); }

 private:
  Problems problems_;
};

// "250ms", "5s", "2m", "1h": the largest unit that shows the value exactly; "forever" for kForever.
std::string to_text(Duration duration);

inline void throw_if_invalid(Problems problems) {
  if (!problems.empty()) throw InvalidOptions(std::move(problems));
}

// `options` itself, for a constructor's initialiser list: nothing is built from options that validate() refuses. Throws
// InvalidOptions.
template <typename Options>
Options&& checked(Options&& options) {
  throw_if_invalid(options.validate());
  return std::forward<Options>(options);
}

}  // namespace fuseboard
