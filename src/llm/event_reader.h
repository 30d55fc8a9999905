// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the readers of streams of JSON events have in common. Included by sources of this module alone.
#pragma once

#include <optional>
#include <string_view>

#include "llm/stream_reader.h"

namespace fuseboard::llm {

class JsonStreamReader : public StreamReader {
 public:
  StreamPiece read(std::string_view event, std::string_view data) final;
  std::optional<Failure> at_end() const noexcept final;

 protected:
  using StreamReader::StreamReader;

  // `data` is a valid JSON object.
  virtual StreamPiece walk(std::string_view event, std::string_view data) = 0;
  // Whether there is an answer at all, not only its end.
  virtual bool begun() const noexcept = 0;
  // The formal end has come that is no event of the dialect.
  virtual void end() {}

 private:
  void keep_error(std::string_view data);

  std::optional<Failure> failure_{};
  bool malformed_ = false;
};

}  // namespace fuseboard::llm
