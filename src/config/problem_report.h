// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where readers of a configuration put what they find wrong, so that one run finds everything.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/diagnostic.h"

namespace fuseboard::config {

// From 1, columns in characters; 0 for the file as a whole.
struct Position {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Keeps each problem once: what an alias or a shared block brings in twice is still one thing to mend.
class Report {
 public:
  Report(std::string file, std::size_t most) : file_(std::move(file)), most_(most) {}

  // "VALUE is not allowed; allowed: ALLOWED".
  void refuse(Position at, std::string_view field, std::string_view value, std::string_view allowed);
  void say(Position at, std::string_view field, std::string_view message);
  // Of what is legal and hardly meant.
  void warn(Position at, std::string_view field, std::string_view message);

  // Whether there is no problem; warnings are none.
  bool empty() const noexcept { return found_.empty(); }
  // In the order of the file.
  std::vector<Diagnostic> take_warnings();
  std::vector<Diagnostic> take() &&;

 private:
  void add(Diagnostic diagnostic);

  std::string file_;
  std::size_t most_;
  std::size_t left_out_ = 0;
  std::vector<Diagnostic> found_;
  std::vector<Diagnostic> warnings_;  // beyond as many as there may be problems they are left out
  std::unordered_set<std::string> seen_;
};

}  // namespace fuseboard::config
