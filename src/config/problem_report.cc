// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/problem_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "fuseboard/core/utf8.h"

namespace fuseboard::config {
namespace {

// Enough to recognise a value by; a whole file pasted into a field must not fill the terminal.
constexpr std::size_t kMaxShown = 120;

std::string shortened(std::string_view text) {
  if (text.size() <= kMaxShown) return std::string(text);
  return std::string(cut_to_characters(text, kMaxShown)) + "...";
}

void sort_by_place(std::vector<Diagnostic>& found) {
  std::ranges::sort(found, {},
                    [](const Diagnostic& one) { return std::tie(one.line, one.column, one.field, one.message); });
}

}  // namespace

void Report::refuse(Position at, std::string_view field, std::string_view value, std::string_view allowed) {
  const std::string shown = value.empty() ? "an empty value" : shortened(value);
  add({.line = at.line,
       .column = at.column,
       .field = std::string(field),
       .value = shown,
       .allowed = std::string(allowed),
       .message = fmt::format("{} is not allowed; allowed: {}", shown, allowed)});
}

void Report::say(Position at, std::string_view field, std::string_view message) {
  add({.line = at.line, .column = at.column, .field = std::string(field), .message = std::string(message)});
}

void Report::warn(Position at, std::string_view field, std::string_view message) {
  Diagnostic warning{.file = file_,
                     .line = at.line,
                     .column = at.column,
                     .field = std::string(field),
                     .message = std::string(message),
                     .warning = true};
  if (warnings_.size() < most_ && seen_.insert(warning.to_text()).second) warnings_.push_back(std::move(warning));
}

void Report::add(Diagnostic diagnostic) {
  diagnostic.file = file_;
  // The last place is for the note that there are more.
  if (found_.size() + 1 >= most_) {
    ++left_out_;
    return;
  }
  if (seen_.insert(diagnostic.to_text()).second) found_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Report::take_warnings() {
  sort_by_place(warnings_);
  return std::move(warnings_);
}

std::vector<Diagnostic> Report::take() && {
  sort_by_place(found_);
  if (left_out_ > 0) {
    found_.push_back({.file = file_, .message = fmt::format("more problems than the {} shown", found_.size())});
  }
  return std::move(found_);
}

}  // namespace fuseboard::config
