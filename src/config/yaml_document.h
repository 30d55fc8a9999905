// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A YAML document as a tree that remembers where everything stands.
//
// yaml-cpp parses; the tree is ours because its own keeps the first of two equal keys in silence, loses the quotes, and
// lets a kilobyte of aliases stand for gigabytes.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem_report.h"

namespace fuseboard::config {

struct Node;

struct Entry {
  std::string key;
  Position at;
  const Node* value = nullptr;
};

struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, map };
  Kind kind = Kind::null;
  bool anchored = false;  // aliases may show it elsewhere
  Position at;
  std::string text;                // of a scalar
  std::vector<const Node*> items;  // of a sequence
  std::vector<Entry> entries;      // of a map: keys unique, merge keys resolved, in the order of the file

  const Node* find(std::string_view key) const noexcept;
};

// "text", "a list", "a map", "nothing".
std::string_view kind_name(Node::Kind kind) noexcept;

// Owns its nodes; moving it keeps them where they are.
struct Document {
  std::deque<Node> nodes;
  const Node* root = nullptr;
};

// Bounds of a document. Values count as often as aliases repeat them.
inline constexpr std::size_t kMaxNodes = 100'000;
inline constexpr int kMaxDepth = 32;
inline constexpr std::size_t kMaxKeyBytes = 256;

// The one document of `text`; nullopt after reporting what makes it unreadable. Duplicate keys are reported and the
// first of them kept, so that reading can go on.
std::optional<Document> parse_document(std::string_view text, Report& report);

}  // namespace fuseboard::config
