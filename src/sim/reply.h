// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Everything that will be sent, decided before the first byte: an answer as a value.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fuseboard/core/time.h"
#include "sim/planned_fault.h"
#include "sim/provider_error.h"

namespace fuseboard::sim {

struct Step {
  Duration wait{};  // before the bytes
  std::string bytes;
};

struct Reply {
  enum class Opening : std::uint8_t { kAnswer, kReset, kSilence };
  enum class Ending : std::uint8_t { kComplete, kCut, kStall };

  Opening opening = Opening::kAnswer;
  Duration wait{};  // before the head
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::vector<Step> steps;  // streamed: sent one by one; else one step, sent with the head when it is complete
  bool streamed = false;
  Ending ending = Ending::kComplete;
  std::string behaviour = "sim-ok";

  std::string body() const;  // all bytes of all steps
};

// The events of a whole stream, in the order in which they are sent.
struct StreamEvents {
  std::string start;                // before the first content: the role, or message_start and its kin
  std::string ping;                 // what comes while there is nothing to say
  std::vector<std::string> tokens;  // one event a token
  std::string finish;               // finish reason and usage
  std::string done;                 // the terminal event
  std::string malformed;            // a broken one, for Ending::kMalformed
  std::string error;                // for Ending::kError
};

// A stream with the planned fault's pace and ending.
Reply stream_reply(const PlannedFault& planned, StreamEvents events, Duration usual_gap);

// A plain answer with the planned fault's ending. `tokens` is the answer's length, for planned faults that set a pace.
Reply plain_reply(const PlannedFault& planned, std::string body, std::size_t tokens);

// Who refuses whom, for the words of an error.
struct RefusalContext {
  Dialect dialect = Dialect::openai;
  std::string model;
  std::string request_id;

  ErrorDetail detail(const PlannedFault& planned) const;
};

// An error in the dialect's shape, with its status, and retry-after where the planned fault has one.
Reply error_reply(const PlannedFault& planned, const RefusalContext& context);

// What a planned fault gives whose opening is not kAnswer: it needs no understanding of the request.
Reply refusal_reply(const PlannedFault& planned, const RefusalContext& context);

// An answer that was made without regard to the planned fault, under its wait and ending.
Reply impose(const PlannedFault& planned, Reply reply);

}  // namespace fuseboard::sim
