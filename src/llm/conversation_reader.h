// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What reading a request has in common in both dialects. Included by sources of this module alone.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "llm/conversation.h"

namespace fuseboard::llm {

// Where one is in a request: messages[2].content[0].image_url. Text is made of it in an error alone.
struct Path {
  const Path* outer = nullptr;
  std::string_view name{};  // empty: an element
  std::size_t index = 0;

  Path operator/(std::string_view member) const noexcept { return {.outer = this, .name = member}; }
  Path operator[](std::size_t element) const noexcept { return {.outer = this, .index = element}; }
  std::string text() const;
};

class ConversationReader {
 protected:
  using Node = json::Tree::Node;

  ConversationReader(Dialect to, const TranslationOptions& options) : to_(to), options_(options) {}

  // Each notes an error; of several the first counts.
  void wrong(const Path& path, std::string_view code, std::string_view problem);
  // Nothing where such things are to be dropped.
  void unsupported(const Path& path);

  // The string at `node`; anything else is wrong.
  Text text(Node node, const Path& path);
  // Its characters, without escapes.
  std::string_view characters(Text text, const Path& path);
  // A number as written, empty for null.
  std::string_view number(Node node, const Path& path);
  std::optional<std::uint64_t> cap(Node node, const Path& path);
  bool flag(Node node, const Path& path);
  // What one of these words stands for; nothing where it is none of them, which is wrong.
  template <typename T>
  struct Word {
    std::string_view word;
    T meaning;
  };
  template <typename T, std::size_t N>
  std::optional<T> one_of(const std::array<Word<T>, N>& words, Node node, const Path& path) {
    const auto found = std::ranges::find_if(words, [&](const Word<T>& it) { return node.is(it.word); });
    if (found != words.end()) return found->meaning;
    std::string problem = "must be ";
    for (const Word<T>& it : words) {
      if (&it != &words.front()) problem += &it == &words.back() ? " or " : ", ";
      problem += it.word;
    }
    wrong(path, "invalid_value", problem);
    return std::nullopt;
  }
  // The arguments of a call: an object, or a string that holds one, or nothing, which is an empty one.
  std::string_view arguments(Node node, const Path& path);

  void read_temperature(Node node, const Path& path);
  void read_stop(Node list, const Path& path);
  // Fills `text` and, for a data URL, `media_type`.
  void read_url(Text url, Block& block, const Path& path);
  // The media type and data of what is not at a URL; false: it cannot be carried.
  bool check_media(const Block& block, const Path& path);

  // A member that one dialect alone knows: fine if it says nothing or one of its defaults, which are written without
  // whitespace.
  struct Foreign {
    std::string_view name;
    std::array<std::string_view, 2> defaults{};
  };
  void check_foreign(const Foreign& foreign, Node node, const Path& path);
  // Reads each top-level member by one table or the other; a name in neither is unsupported, a second one wrong.
  template <typename Reader>
  struct Member {
    std::string_view name;
    void (Reader::*read)(Node, const Path&);
  };
  template <typename Reader, std::size_t N, std::size_t M>
  void read_members(Reader& reader, Node root, const std::array<Member<Reader>, N>& members,
                    const std::array<Foreign, M>& foreigners) {
    std::bitset<N> seen;
    root.each_member([&](std::string_view name, Node value) {
      const Path path{.name = name};
      if (const auto found = std::ranges::find(members, name, &Member<Reader>::name); found != members.end()) {
        const auto index = static_cast<std::size_t>(found - members.begin());
        if (seen[index]) wrong(path, "duplicate_parameter", "is given more than once");
        seen[index] = true;
        (reader.*found->read)(value, path);
      } else if (const auto other = std::ranges::find(foreigners, name, &Foreign::name); other != foreigners.end()) {
        check_foreign(*other, value, path);
      } else {
        unsupported(path);
      }
    });
  }

  bool drops() const noexcept { return options_.drop_unsupported; }
  std::expected<Conversation, RequestError> finished();

  Dialect to_;
  const TranslationOptions& options_;
  Conversation conversation_{};

 private:
  std::optional<RequestError> error_{};
};

}  // namespace fuseboard::llm
