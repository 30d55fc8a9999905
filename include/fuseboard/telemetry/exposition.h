// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Prometheus text exposition, format 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace fuseboard::telemetry {

struct Label {
  std::string_view name;
  std::string_view value;  // escaped on writing; keep it bounded: no user, session or free text [TEL-3]
};

inline constexpr std::string_view kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

// The shortest text that reads back as the same number.
std::string number_text(double value);

// Appends families and their samples to one text. A family is announced once, before its samples.
class Exposition {
 public:
  enum class Type : std::uint8_t { counter, gauge, histogram };

  void family(std::string_view name, Type type, std::string_view help);
  void sample(std::string_view name, std::span<const Label> labels, double value);
  void sample(std::string_view name, std::span<const Label> labels, std::uint64_t value);
  void sample(std::string_view name, std::initializer_list<Label> labels, std::uint64_t value) {
    sample(name, std::span(labels.begin(), labels.size()), value);
  }

  std::string take() && { return std::move(text_); }

 private:
  void series(std::string_view name, std::span<const Label> labels);
  std::string text_;
};

}  // namespace fuseboard::telemetry
