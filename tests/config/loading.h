// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reading configurations in tests.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace fuseboard::config::testing {

using Variables = std::map<std::string, std::string, std::less<>>;

inline Environment environment(Variables variables = {}) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

inline Loaded parsed(std::string_view text, Variables variables = {}) {
  return parse(text, "f.yaml", environment(std::move(variables)));
}

// What people would read, one line a problem.
inline std::vector<std::string> problems(std::string_view text, Variables variables = {}) {
  std::vector<std::string> lines;
  for (const Diagnostic& problem : parsed(text, std::move(variables)).problems) lines.push_back(problem.to_text());
  return lines;
}

// The only problem, or all of them as one text.
inline std::string problem(std::string_view text, Variables variables = {}) {
  std::string all;
  for (const std::string& line : problems(text, std::move(variables))) all += (all.empty() ? "" : "\n") + line;
  return all;
}

// A file that is fine but for what is put at its end. Two providers, on lines 1 to 3.
inline std::string with_providers(std::string_view rest) {
  return "providers:\n"
         "  a: {dialect: openai, base_url: http://a.test/v1}\n"
         "  b: {dialect: openai, base_url: http://b.test/v1}\n" +
         std::string(rest);
}

// A model "m" with one target, and more of its keys from line 7 on.
inline std::string with_model(std::string_view keys) {
  return with_providers(
             "models:\n"
             "  m:\n"
             "    targets: [{provider: a, model: x}]\n") +
         std::string(keys);
}

// A provider "p", with more of its keys from line 5 on.
inline std::string with_provider(std::string_view keys) {
  return "providers:\n"
         "  p:\n"
         "    dialect: openai\n"
         "    base_url: https://p.test/v1\n" +
         std::string(keys);
}

}  // namespace fuseboard::config::testing
