// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "json/tree.h"

#include <algorithm>
#include <utility>

#include "json/run.h"
#include "json/string_decoder.h"
#include "json/syntax.h"

namespace fuseboard::json {
namespace {

constexpr bool separates(char c) noexcept { return is_space(c) || c == ',' || c == ':'; }

}  // namespace

Tree::Tree(std::string_view valid_json) : text_(valid_json) {
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
      bare_value();
    }
  }
}

void Tree::open() {
  opened_.push_back(static_cast<std::uint32_t>(places_.size()));
  depth_ = std::max(depth_, opened_.size());
  places_.push_back({.begin = static_cast<std::uint32_t>(at_)});
  ++at_;
}

void Tree::close() {
  ++at_;
  Place& place = places_[opened_.back()];
  opened_.pop_back();
  place.end = static_cast<std::uint32_t>(at_);
  place.next = static_cast<std::uint32_t>(places_.size());
}

void Tree::string() { add_scalar(string_end(text_.data() + at_, text_.data() + text_.size())); }

void Tree::bare_value() { add_scalar(bare_value_end(text_.data() + at_, text_.data() + text_.size())); }

void Tree::add_scalar(const char* end) {
  const std::size_t begin = std::exchange(at_, static_cast<std::size_t>(end - text_.data()));
  places_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_),
                     static_cast<std::uint32_t>(places_.size() + 1)});
}

std::string_view Tree::Node::raw() const noexcept {
  if (tree_ == nullptr) return {};
  return tree_->text_.substr(place().begin, place().end - place().begin);
}

Tree::Node Tree::Node::member(std::string_view name) const noexcept {
  Node found;
  if (!is_object()) return found;
  for (std::uint32_t at = index_ + 1; at < place().next; at = tree_->places_[at + 1].next) {
    if (Node(*tree_, at).inside() == name) found = Node(*tree_, at + 1);
  }
  return found;
}

// A name without a text (half a surrogate pair) stays as it is written.
std::string_view Tree::Node::resolved(std::string_view name, std::string& unescaped) {
  if (!name.contains('\\')) return name;
  unescaped = unescape('"' + std::string(name) + '"').value_or(std::string(name));
  return unescaped;
}

}  // namespace fuseboard::json
