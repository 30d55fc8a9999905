// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/json_tree.h"

#include <algorithm>

#include "llm/canonical_json.h"
#include "llm/json_run.h"

namespace fuseboard::llm {
namespace {

constexpr bool separates(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ':';
}

}  // namespace

JsonTree::JsonTree(std::string_view valid_json) : text_(valid_json) {
  places_.reserve(text_.size() / 16 < 64 ? 64 : std::min<std::size_t>(text_.size() / 16, 4096));
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (separates(c)) {
      ++at_;
    } else if (c == '{' || c == '[') {
      open();
    } else if (c == '}' || c == ']') {
      close();
    } else if (c == '"') {
      string();
    } else {
      scalar();
    }
  }
}

void JsonTree::open() {
  opened_.push_back(static_cast<std::uint32_t>(places_.size()));
  depth_ = std::max(depth_, opened_.size());
  places_.push_back({.begin = static_cast<std::uint32_t>(at_)});
  ++at_;
}

void JsonTree::close() {
  ++at_;
  Place& place = places_[opened_.back()];
  opened_.pop_back();
  place.end = static_cast<std::uint32_t>(at_);
  place.next = static_cast<std::uint32_t>(places_.size());
}

void JsonTree::string() {
  const char* const text = text_.data();
  const auto end = static_cast<std::size_t>(string_end(text + at_, text + text_.size()) - text);
  places_.push_back({static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end),
                     static_cast<std::uint32_t>(places_.size() + 1)});
  at_ = end;
}

void JsonTree::scalar() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && !separates(text_[at_]) && text_[at_] != '}' && text_[at_] != ']') ++at_;
  places_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_),
                     static_cast<std::uint32_t>(places_.size() + 1)});
}

std::string_view JsonTree::Node::raw() const noexcept {
  if (tree_ == nullptr) return {};
  return tree_->text_.substr(place().begin, place().end - place().begin);
}

JsonTree::Node JsonTree::Node::member(std::string_view name) const noexcept {
  Node found;
  if (!is_object()) return found;
  for (std::uint32_t at = index_ + 1; at < place().next; at = tree_->places_[at + 1].next) {
    if (Node(*tree_, at).inside() == name) found = Node(*tree_, at + 1);
  }
  return found;
}

// A name without a text (half a surrogate pair) stays as it is written.
std::string_view JsonTree::Node::resolved(std::string_view name, std::string& unescaped) {
  if (!name.contains('\\')) return name;
  unescaped = unescape_json('"' + std::string(name) + '"').value_or(std::string(name));
  return unescaped;
}

}  // namespace fuseboard::llm
