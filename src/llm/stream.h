// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The reader of chat-completions streams, by its older name.
#pragma once

#include <memory>
#include <utility>

#include "llm/stream_reader.h"

namespace fuseboard::llm {

// As StreamReader for Endpoint::chat_completions.
class ChatStreamReader {
 public:
  explicit ChatStreamReader(std::size_t choices = 1, UserRules rules = {})
      : reader_(make_stream_reader(Endpoint::chat_completions, {.choices = choices, .rules = std::move(rules)})) {}

  StreamPiece read(std::string_view data) { return reader_->read({}, data); }
  bool content_seen() const noexcept { return reader_->content_seen(); }
  bool complete() const noexcept { return reader_->complete(); }
  std::optional<Failure> at_end() const noexcept { return reader_->at_end(); }
  const Usage& usage() const noexcept { return reader_->usage(); }
  std::string_view model() const noexcept { return reader_->model(); }
  std::string_view finish_reason(std::size_t choice = 0) const noexcept { return reader_->finish_reason(choice); }
  const ErrorDetails& error() const noexcept { return reader_->error(); }

 private:
  std::unique_ptr<StreamReader> reader_;
};

}  // namespace fuseboard::llm
