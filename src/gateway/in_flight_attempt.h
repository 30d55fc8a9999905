// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the two halves of the relay share about an attempt. Included by relay*.cc alone.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "fuseboard/core/bounded_text.h"
#include "gateway/answer_stream.h"
#include "gateway/relay.h"
#include "net/client.h"

namespace fuseboard::gateway {

struct Relay::InFlightAttempt {
  const Attempt attempt;
  const TimePoint started;
  std::optional<net::ClientExchange> upstream{};
  const AnswerStream* stream = nullptr;  // while it is being relayed
  std::string body{};                    // of a plain answer, as far as it has come
  std::optional<ServerWindow> window{};  // what the upstream's headers say of its limits
  BoundedText<63> upstream_request_id{};
  std::string cause{};              // of its failure, for whoever asks why
  InFlightAttempt* next = nullptr;  // of those whose tasks run
  bool callers_account = false;     // the request names an organization or a project of the caller's
  bool resent = false;              // a kept connection had died
  bool worked = false;              // its first sign of work has been told to the driver
  bool begun = false;               // its first content has been told to the driver
  net::BodyMemory::Share memory{};  // of a plain answer
};

struct Relay::Sending {
  RequestBody body;
  net::BodyMemory::Share memory{};  // of what the body does not share with the caller's
  bool asks_usage = false;          // for the gateway alone
  // Of an attempt that goes on with an answer: how the two are joined.
  std::optional<Splice> splice{};
  bool prefilled() const noexcept { return splice && splice->mode() == Splice::Mode::continues; }
};

// The finish of an attempt that a target failed.
inline AttemptReport failed_report(const Failure& failure, bool answered) {
  // A rate limit refuses before the request is handled.
  return {.outcome = Outcome::failed(failure),
          .answered = answered,
          .may_have_run = failure.category != Category::rate_limit};
}

AttemptReport failed_report(TransportFault fault);

// As it is charged. Some providers leave thoughts out of the completion, and have them in the total.
std::optional<TokenUsage> usage_of(const llm::Usage& usage);

// An error that an upstream told under a 200, as it would have looked under the status that it meant.
UpstreamError told_under_success(std::uint32_t attempt, llm::Dialect dialect, const Failure& failure,
                                 const llm::ErrorDetails& error);

}  // namespace fuseboard::gateway
