// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What readers say, in a form that tests compare and that is readable where they differ.
#pragma once

#include <ostream>
#include <string>

#include "llm/delta.h"
#include "llm/finish_reason.h"
#include "llm/stream_reader.h"

namespace fuseboard::llm {

inline void PrintTo(StreamPiece piece, std::ostream* out) { *out << name(piece); }

inline std::string to_text(FinishReason reason) {
  switch (reason) {
    case FinishReason::stop:
      return "stop";
    case FinishReason::stop_sequence:
      return "stop_sequence";
    case FinishReason::length:
      return "length";
    case FinishReason::tool_calls:
      return "tool_calls";
    case FinishReason::content_filter:
      return "content_filter";
    case FinishReason::other:
      return "other";
  }
  return "";
}

inline std::string to_text(const Usage& usage) {
  return std::to_string(usage.prompt) + '+' + std::to_string(usage.completion) + '=' + std::to_string(usage.total) +
         " cached " + std::to_string(usage.cached) + " reasoning " + std::to_string(usage.reasoning) + " written " +
         std::to_string(usage.cache_written);
}

inline std::string to_line(const Delta& delta) {
  switch (delta.kind) {
    case Delta::Kind::begin:
      return "begin " + delta.id + ' ' + delta.model;
    case Delta::Kind::text:
      return "text " + delta.text;
    case Delta::Kind::reasoning:
      return "reasoning " + delta.text;
    case Delta::Kind::signature:
      return "signature " + delta.text;
    case Delta::Kind::refusal:
      return "refusal " + delta.text;
    case Delta::Kind::tool_begin:
      return "tool_begin " + std::to_string(delta.tool) + ' ' + delta.id + ' ' + delta.name;
    case Delta::Kind::tool_arguments:
      return "tool_arguments " + std::to_string(delta.tool) + ' ' + delta.text;
    case Delta::Kind::finish:
      return "finish " + to_text(delta.reason) + (delta.text.empty() ? "" : " " + delta.text);
    case Delta::Kind::usage:
      return "usage " + to_text(delta.usage);
  }
  return "";
}

}  // namespace fuseboard::llm
