// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reads the events of one streamed chat-completions answer, to know when content begins and whether the answer is
// complete.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/classify/user_rules.h"
#include "fuseboard/core/outcome.h"
#include "llm/answer.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// What an event is. One that is several things at once is the first of: error, content, finish, usage, prelude.
enum class StreamPiece : std::uint8_t {
  prelude,    // a role, an empty delta, filter results: nothing a reader would see yet
  content,    // text, reasoning, a refusal, audio or a tool call: what commits an answer [STR-4]
  finish,     // a finish reason and nothing else
  usage,      // the usage event at the end
  done,       // [DONE]
  error,      // an error object inside the stream
  malformed,  // not a JSON object [STR-7]
};
std::string_view name(StreamPiece piece) noexcept;

// One object for one stream, used by one thread at a time (any thread). Keeps a few bytes for each choice, never the
// text.
class ChatStreamReader {
 public:
  // `choices`: how many were asked for. An answer that ends before all of them have begun is not complete.
  // `rules` of a user win over the classifier's own.
  explicit ChatStreamReader(std::size_t choices = 1, UserRules rules = {}) noexcept
      : expected_choices_(choices), rules_(std::move(rules)) {}

  // `data` is the payload of one SSE event. Validates all of it: about 0.5 µs for a typical event.
  StreamPiece read(std::string_view data);

  bool content_seen() const noexcept { return content_seen_; }
  // [DONE] came, or every choice has its finish reason [STR-2].
  bool complete() const noexcept;
  // The verdict if the stream ended now; nullopt: a complete answer. An error event wins over everything, then a
  // malformed one, then the missing end.
  std::optional<Failure> at_end() const noexcept;

  const Usage& usage() const noexcept { return usage_; }
  std::string_view model() const noexcept { return model_; }
  // Of the choice with this index; empty: none yet, or no such choice.
  std::string_view finish_reason(std::size_t choice = 0) const noexcept;
  // Of the first error event; empty without one.
  const ErrorDetails& error() const noexcept { return error_; }

 private:
  class Event;  // the walk over one event, in stream.cc
  struct Choice {
    std::uint64_t index = 0;
    std::string finish_reason{};
  };
  // The most choices of one answer, as OpenAI bounds `n`. An event that begins more is malformed.
  static constexpr std::size_t kMaxChoices = 128;

  std::size_t expected_choices_;
  UserRules rules_;
  std::vector<Choice> choices_{};
  Usage usage_{};
  std::string model_{};
  ErrorDetails error_{};
  std::optional<Failure> failure_{};
  bool content_seen_ = false;
  bool done_ = false;
  bool malformed_ = false;
};

}  // namespace fuseboard::llm
