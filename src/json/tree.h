// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Finding one's way in a JSON text without losing how its values are written.
//
// A Value (document.h) is walked in the order of the text. A translation looks at a type before the members that
// stand in front of it, and again and again at the same ones: a tree knows where they all are.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/syntax.h"

namespace fuseboard::json {

// Longer texts have no tree: places are told in 32 bits.
inline constexpr std::size_t kMaxTreeBytes = 0xFFFF'FFFF;

// Where each value of a text stands. One pass; 12 bytes for each value and each name of a member.
class Tree {
 public:
  class Node;

  // `valid_json` must have passed validate, be no longer than kMaxTreeBytes and stay where it is.
  explicit Tree(std::string_view valid_json);
  Node root() const noexcept;
  std::size_t depth() const noexcept { return depth_; }  // how many containers stand in one another

 private:
  struct Place {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t next = 0;  // the place behind this value and all inside of it
  };

  void open();
  void close();
  void string();
  void bare_value();
  void add_scalar(const char* end);

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::vector<Place> places_;          // in the order of the text; an object's members as name, value, name, ...
  std::vector<std::uint32_t> opened_;  // containers that have not ended, the outermost first
};

// A value, or that there is none: all questions may be asked of it then, and are answered by no.
class Tree::Node {
 public:
  Node() = default;

  std::string_view raw() const noexcept;  // as written; empty: there is no such value
  bool exists() const noexcept { return tree_ != nullptr; }
  bool is_object() const noexcept { return raw().starts_with('{'); }
  bool is_array() const noexcept { return raw().starts_with('['); }
  bool is_string() const noexcept { return raw().starts_with('"'); }
  bool is_number() const noexcept { return !raw().empty() && begins_number(raw().front()); }
  bool is_null() const noexcept { return raw() == "null"; }
  bool says_nothing() const noexcept { return !exists() || is_null(); }
  // What stands between the quotes of a string.
  std::string_view inside() const noexcept { return raw().substr(1, raw().size() - 2); }
  // Whether this is the string `text`, which is written without escapes.
  bool is(std::string_view text) const noexcept { return is_string() && inside() == text; }

  // The member of that name, which is written without escapes; the last of several.
  Node member(std::string_view name) const noexcept;
  // Calls visit(name, value) for each member of an object, names with their escapes resolved; none for other values.
  void each_member(std::invocable<std::string_view, Node> auto visit) const {
    if (!is_object()) return;
    std::string unescaped;
    for (std::uint32_t name = index_ + 1; name < place().next; name = tree_->places_[name + 1].next) {
      visit(resolved(Node(*tree_, name).inside(), unescaped), Node(*tree_, name + 1));
    }
  }
  // Calls visit(index, value) for each element of an array; none for other values.
  void each_element(std::invocable<std::size_t, Node> auto visit) const {
    if (!is_array()) return;
    std::size_t count = 0;
    for (std::uint32_t at = index_ + 1; at < place().next; at = tree_->places_[at].next)
      visit(count++, Node(*tree_, at));
  }
  bool is_empty() const noexcept { return (is_object() || is_array()) && place().next == index_ + 1; }

 private:
  friend class Tree;
  Node(const Tree& tree, std::uint32_t index) noexcept : tree_(&tree), index_(index) {}
  const Place& place() const noexcept { return tree_->places_[index_]; }
  static std::string_view resolved(std::string_view name, std::string& unescaped);

  const Tree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

inline Tree::Node Tree::root() const noexcept { return {*this, 0}; }

}  // namespace fuseboard::json
