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

// Where a request stands among those of its minute, the request itself counted unless it was refused.
struct Quota {
  enum class Exceeded : std::uint8_t { kNothing, kRequests, kTokens };

  std::uint64_t requests = 0;  // allowed in a minute
  std::uint64_t tokens = 0;
  std::uint64_t remaining_requests = 0;
  std::uint64_t remaining_tokens = 0;
  Duration reset{};  // until all are allowed again
  Exceeded exceeded = Exceeded::kNothing;
};

// How the counts of an answer's usage are told.
enum class UsageForm : std::uint8_t {
  kTrue,
  kNone,      // not at all
  kText,      // "57"
  kNegative,  // -57
  kExponent,  // 57e0
  kLow,       // 1
};

// What becomes of a request with `stream_options`.
enum class StreamOptions : std::uint8_t {
  kTaken,
  kRefused,         // 400, which names them
  kRefusedBluntly,  // 400, which says nothing
};

struct PlannedFault {
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
  // What becomes of an assistant's message at the end of the conversation.
  enum class Prefill : std::uint8_t {
    kContinued,  // the answer goes on behind it
    kRefused,    // 400
    kIgnored,    // another answer begins
  };

  // What an answer says of its own form.
  enum class Label : std::uint8_t {
    kRight,
    kJson,    // also of a stream
    kNone,    // no content type
    kEvents,  // a plain answer, also to a request for a stream, is called a stream
  };

  std::string behaviour = "sim-ok";  // for the log and x-sim-behaviour
  Opening opening = Opening::kAnswer;
  ErrorKind error = ErrorKind::kUnavailable;
  int status = 0;       // 0: the usual one of `error`
  std::string message;  // of the error; empty: the usual words
  std::string param;    // OpenAI's `param`; empty: the usual one
  std::optional<Duration> retry_after;
  std::optional<std::uint64_t> requests_per_minute;  // a limit to count against
  std::optional<Quota> quota;                        // what has come of it; told in headers

  Duration wait{};                    // before the head of the answer
  Duration first_token_wait{};        // after the head, before the first content; a plain answer waits before its head
  std::optional<Duration> token_gap;  // the provider's own when not set

  Content content = Content::kText;
  std::size_t tokens = 0;            // length of the text; 0: what the prompt and the seed say
  std::size_t calls = 1;             // of tools, for Content::kToolCall
  std::size_t reasoning_tokens = 0;  // said before the answer
  Duration hidden_thinking{};        // before the answer: nothing is seen of it but that it has begun, and pings
  Label label = Label::kRight;
  Prefill prefill = Prefill::kContinued;
  Ending ending = Ending::kComplete;
  std::size_t after_tokens = 0;
  bool split_events = false;     // every event leaves in two pieces
  std::size_t event_tokens = 1;  // of the text, in each event of a stream
  bool ignores_max_tokens = false;
  StreamOptions stream_options = StreamOptions::kTaken;
  UsageForm usage = UsageForm::kTrue;
};

}  // namespace fuseboard::sim
