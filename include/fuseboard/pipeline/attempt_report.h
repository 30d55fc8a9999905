// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a driver tells the engine of an attempt that has ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/budget/charge.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/limit/adaptive.h"

namespace fuseboard {

// How a streamed answer that broke off after its first content may be gone on with [STR-5].
struct StreamRecovery {
  // Bit i: target i (an index into the plan's) goes on where the answer stopped. These are asked before those that
  // would start again; 0: all are alike.
  std::uint64_t prefer = 0;
};

// How an attempt ended, as its driver saw it.
struct AttemptReport {
  Outcome outcome{};
  bool answered = false;              // an answer of the target was read, good or bad
  bool connected = true;              // false: DNS, connect or TLS failed, so the model was never reached [BRK-22]
  bool may_have_run = true;           // false: refused connection, rejected before it was handled
  bool silent = false;                // it ended by a silence: no head, no first content, or idle
  bool resent = false;                // a kept connection died at once, and it was sent again over a fresh one
  std::uint16_t status = 0;           // of the answer, where it has one; for the record
  std::uint32_t skipped_events = 0;   // of a stream, which were malformed and left out; for the record
  std::optional<TokenUsage> usage{};  // as the answer says, in numbers that can be read
  // Tokens of output that were seen, about: what is charged where the answer does not say, or says far less [BUD-10].
  std::uint64_t seen_output = 0;
  std::optional<ServerWindow> window{};  // what the answer's headers say of the server's own limit
  // Of a failure once content has reached the caller: set, another attempt may mend the answer; else the call ends as
  // interrupted. Before that it says nothing.
  std::optional<StreamRecovery> recovery{};
  // Of an attempt that was to mend an answer: nothing of its own has reached the caller, because it does not go on as
  // the answer began. Where its outcome is a success, that is nobody's fault: no evidence, charged as observed, and
  // with `recovery` the next target is tried. Of any other attempt it says nothing.
  bool unusable = false;
  // For the record, in the driver's words; they need hold no longer than the report is being told. No secret, no
  // content.
  std::string_view cause{};                // of a failure: "connecting to api.example.com: Connection refused"
  std::string_view upstream_request_id{};  // what the target calls the request

  // Of a failure that the target told, or that came in place of an answer. A rate limit refuses a request before it
  // runs.
  static AttemptReport failed(const Failure& failure, bool answered = false) noexcept {
    return {.outcome = Outcome::failed(failure),
            .answered = answered,
            .may_have_run = failure.category != Category::rate_limit};
  }
};

}  // namespace fuseboard
