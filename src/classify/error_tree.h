// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What an error body says, as a small tree: one pass over any bytes, no recursion, no allocation.
//
// Kept are members whose names the classifier knows, down to a bounded depth and number; everything else is skipped,
// and strings are not decoded until asked for. The grammar is JSON's, with what error texts also hold: Python's reprs
// ('...', None, True). A text that breaks off leaves what came before. docs/adr/0007 says why there is no JSON library
// here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace fuseboard::classify_internal {

// The member names that matter; compared without case and punctuation, so "retry_after_ms" is "retryAfterMs".
enum class Key : std::uint8_t {
  other,  // stored because of its place: an element of an array, or a name that ends in "Exception"
  at_type,
  base_resp,
  block_reason,
  candidates,
  choices,
  code,
  content,
  data,
  delta,
  description,
  detail,
  details,
  done,
  done_reason,
  elicitations,
  error,
  error_code,
  error_description,
  error_message,
  error_type,
  errors,
  estimated_time,
  event,
  exception_type,
  fault,
  faultcode,
  faultstring,
  finish_message,
  finish_reason,
  generated_text,
  header,
  headers,
  id,
  incomplete_details,
  inner_error,
  is_error,
  is_finished,
  jsonrpc,
  limit_source,
  message,
  message_stop,
  message_type,
  metadata,
  method,
  msg,
  native_finish_reason,
  object,
  original_message,
  original_status_code,
  output,
  param,
  prompt_feedback,
  quota_id,
  quota_value,
  raw,
  reason,
  refusal,
  response,
  result,
  resets_at,
  resets_in_seconds,
  retry_after,
  retry_after_ms,
  retry_after_seconds,
  retry_delay,
  status,
  status_code,
  status_msg,
  stop_reason,
  success,
  text,
  title,
  tool_calls,
  type,
  uri,
  violations,
  x_rate_limit_remaining,
  x_rate_limit_reset,
};

enum class Kind : std::uint8_t { object, array, string, number, literal };

struct Node {
  Key key = Key::other;
  Kind kind = Kind::literal;
  std::uint16_t parent = 0;
  std::uint16_t first = 0;    // child; 0: none
  std::uint16_t next = 0;     // sibling; 0: none
  std::uint64_t keys = 0;     // of a container: which keys its children may have, by their low six bits
  std::uint16_t members = 0;  // of a container, skipped ones included; saturates
  std::string_view name{};    // as written
  std::string_view raw{};     // of a string: between its quotes, escapes unresolved; of others: as written
};

class ErrorTree {
 public:
  static constexpr std::size_t kMaxNodes = 160;
  static constexpr std::size_t kMaxDepth = 12;
  static constexpr std::uint16_t kMaxElements = 16;  // of one array

  enum class End : std::uint8_t {
    whole,      // one value; what follows it was not looked at
    truncated,  // nothing is wrong but that the text ends
    broken,     // not JSON from some byte on
    none,       // does not begin like an object or an array
  };

  // Reads `text`, which must outlive the tree.
  explicit ErrorTree(std::string_view text) noexcept;

  End end() const noexcept { return end_; }
  // Of the text: one past the value.
  std::size_t size() const noexcept { return at_; }
  const Node* root() const noexcept { return count_ > 1 ? &nodes_[1] : nullptr; }

  const Node* first(const Node* parent) const noexcept { return parent == nullptr ? nullptr : at(parent->first); }
  const Node* next(const Node* node) const noexcept { return at(node->next); }
  // The first member with that name; nullptr without one, and for a parent that is nullptr.
  const Node* find(const Node* parent, Key key) const noexcept;

 private:
  const Node* at(std::uint16_t index) const noexcept { return index == 0 ? nullptr : &nodes_[index]; }
  void read() noexcept;
  bool open(Key key, std::string_view name, std::uint16_t parent) noexcept;
  bool member(std::uint16_t parent) noexcept;
  bool value(Key key, std::string_view name, std::uint16_t parent, bool keep) noexcept;
  bool skip_container() noexcept;
  bool skip_string(char quote) noexcept;
  void skip_spaces() noexcept;
  std::uint16_t add(Key key, Kind kind, std::string_view name, std::uint16_t parent) noexcept;
  bool fail() noexcept;

  std::string_view text_;
  std::size_t at_ = 0;
  End end_ = End::none;
  std::uint16_t count_ = 1;  // nodes_[0] stands for "none"
  std::size_t depth_ = 0;
  std::array<std::uint16_t, kMaxDepth> open_;  // containers around at_
  std::array<std::uint16_t, kMaxNodes> last_child_;
  // Not initialised: only the first count_ are ever read, and clearing them would cost more than most bodies.
  union {
    std::array<Node, kMaxNodes> nodes_;
  };
};

inline bool is_null(const Node* node) noexcept {
  return node == nullptr || (node->kind == Kind::literal && (node->raw == "null" || node->raw == "None"));
}
inline bool is_true(const Node* node) noexcept {
  return node != nullptr && node->kind == Kind::literal && (node->raw == "true" || node->raw == "True");
}
inline bool is_string(const Node* node) noexcept { return node != nullptr && node->kind == Kind::string; }
inline bool is_object(const Node* node) noexcept { return node != nullptr && node->kind == Kind::object; }
inline bool is_array(const Node* node) noexcept { return node != nullptr && node->kind == Kind::array; }
// Whether there is something in it: a non-empty string, a container with members, a number, true.
bool has_content(const Node* node) noexcept;

// Resolves the escapes of a string into `out`; cuts what does not fit. A surrogate becomes '?', paired or not, and what
// moves a cursor back or on a space: no table holds such characters.
std::string_view unescape(std::string_view raw, std::span<char> out) noexcept;

}  // namespace fuseboard::classify_internal
