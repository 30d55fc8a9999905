// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What becomes of one request: decided before its first byte is sent, by the model's name and the fault script.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "fuseboard/core/time.h"
#include "sim/provider_error.h"

namespace fuseboard::sim {

struct Fate {
  enum class Opening : std::uint8_t {
    kAnswer,      // a proper answer, which may yet go wrong on its way: see `ending`
    kError,       // `error` with `status`, in the dialect's shape
    kErrorIn200,  // the same body under status 200
    kHtml,        // a proxy's page with `status`
    kEmpty,       // 200 without a body
    kReset,       // the connection is cut before a byte of the answer
    kSilence,     // nothing at all until the client leaves
  };
  enum class Ending : std::uint8_t {
    kComplete,
    kNoDone,     // everything but the terminal event
    kEof,        // a clean end of the body after `after_tokens`, without finish reason and terminal event
    kCut,        // the connection is cut after `after_tokens`
    kStall,      // silence after `after_tokens` until the client leaves
    kMalformed,  // one broken event after `after_tokens`, then the rest
    kError,      // an error event after `after_tokens`, then a clean end
  };
  enum class Content : std::uint8_t { kText, kEcho, kInspect, kToolCall, kRefusal };

  std::string behaviour = "sim-ok";  // for the log and x-sim-behaviour
  Opening opening = Opening::kAnswer;
  ErrorKind error = ErrorKind::kUnavailable;
  int status = 0;       // 0: the usual one of `error`
  std::string message;  // of the error; empty: the usual words
  std::string param;    // OpenAI's `param`; empty: the usual one
  std::optional<Duration> retry_after;

  Duration wait{};                    // before the head of the answer
  Duration first_token_wait{};        // after the head, before the first content; a plain answer waits before its head
  std::optional<Duration> token_gap;  // the provider's own when not set

  Content content = Content::kText;
  std::size_t tokens = 0;  // length of the text; 0: what the prompt and the seed say
  Ending ending = Ending::kComplete;
  std::size_t after_tokens = 0;
  bool split_events = false;  // every event leaves in two pieces
};

}  // namespace fuseboard::sim
