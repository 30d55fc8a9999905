// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/core/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <source_location>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fuseboard {
namespace {

TEST(BrokenInvariant, SaysWhichItIsAndWhereItStandsAndNothingElse) {  // TEL-4.2
  const std::source_location here = std::source_location::current();
  const std::string place = std::string(here.file_name()) + ":" + std::to_string(here.line());
  EXPECT_EXIT(check_invariant(false, "two and two are four", here), testing::KilledBySignal(SIGABRT),
              testing::Eq("fuseboard: broken invariant: two and two are four (" + place + ")\n"));
}

// The last argument of the call whose arguments begin there.
std::string_view last_argument(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c == '\\') ++i;
    } else if (c == ',' && depth == 0) {
      begin = i + 1;
    } else if (c == ')' && depth == 0) {
      const std::string_view last = text.substr(begin, i - begin);
      return last.substr(std::min(last.find_first_not_of(" \n"), last.size()));
    } else if (c == '(' || c == '{' || c == '[') {
      ++depth;
    } else if (c == ')' || c == '}' || c == ']') {
      --depth;
    }
  }
  return {};
}

// A text that is put together may hold what a user said, or a secret.
TEST(BrokenInvariant, IsSaidInWordsOfTheSourceAlone) {  // TEL-4.2
  const std::filesystem::path root(FUSEBOARD_SOURCE_DIR);
  std::size_t calls = 0;
  std::vector<std::string> others;
  for (const char* folder : {"include", "src"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string path = std::filesystem::relative(entry.path(), root).string();
      if (!entry.is_regular_file() || path.ends_with("core/check.h") || path.ends_with("core/check.cc")) continue;
      std::ostringstream read;
      read << std::ifstream(entry.path()).rdbuf();
      const std::string text = read.str();
      for (const std::string_view name : {"check_invariant(", "invariant_broken("}) {
        for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1), ++calls) {
          const std::string_view said = last_argument(std::string_view(text).substr(at + name.size()));
          if (!said.starts_with('"') || !said.ends_with('"')) others.push_back(path + ": " + std::string(said));
        }
      }
    }
  }
  EXPECT_THAT(others, testing::IsEmpty());
  EXPECT_GT(calls, 30U) << "they are found";
}

}  // namespace
}  // namespace fuseboard
