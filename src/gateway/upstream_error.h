// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// An upstream that answers with an error: what it means, and what is kept of it for the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/core/outcome.h"
#include "llm/answer.h"
#include "llm/dialect.h"
#include "net/http.h"
#include "net/task.h"

namespace fuseboard::gateway {

struct ModelAttempt;
struct RelayedCall;

constexpr bool is_success(int status) noexcept { return status >= 200 && status <= 299; }

// An error answer that an upstream gave, kept in case it is the one to show.
struct UpstreamError {
  std::uint32_t attempt = 0;
  llm::Dialect dialect = llm::Dialect::openai;  // of the body
  net::ResponseHead head;
  std::string body;
  bool ready = false;  // the head is as the caller gets it
};

// An error that an upstream told under a 200, as it would have looked under the status that it meant.
UpstreamError told_under_success(std::uint32_t attempt, llm::Dialect dialect, const Failure& failure,
                                 const llm::ErrorDetails& error);

// What an answer means, by its head and its body: a user's rules, then ours.
std::optional<Failure> judge(const RelayedCall& relayed, const net::ResponseHead& head, std::string_view body);

// The body of a refusal. Its status has already decided; one that does not come, or cannot be read, only leaves less to
// say.
net::Task<std::string> read_error(ModelAttempt& attempt, net::ResponseHead& head);

// Ends the attempt by that. The head is of no use afterwards. `prefilled`: the request had the beginning of an answer.
void end_by_error(ModelAttempt& attempt, net::ResponseHead& head, std::string text, bool prefilled);

}  // namespace fuseboard::gateway
