// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The responses that a request may name as previous_response_id.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fuseboard::sim {

// What of a conversation so far a further answer depends on: its text as a number, and its length.
struct Conversation {
  std::uint64_t digest = 0;
  std::size_t tokens = 0;
};

// Not thread-safe. Keeps the last kMaxResponses; the oldest is forgotten first.
class ResponseMemory {
 public:
  static constexpr std::size_t kMaxResponses = 1000;

  void remember(const std::string& id, const Conversation& conversation);
  std::optional<Conversation> find(std::string_view id) const;
  void clear();

 private:
  std::map<std::string, Conversation, std::less<>> known_;
  std::deque<std::string> order_;  // oldest first
};

}  // namespace fuseboard::sim
