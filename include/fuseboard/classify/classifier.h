// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a failure means, whatever channel it came through: one call, one verdict and the rule that gave it.
//
//   const Classification judged = classify({.channel = Channel::http, .status = 429, .headers = headers, .body =
//   body}); if (judged.failure) permit.settle(Outcome::failed(*judged.failure));
//
// The order of evidence: a user's rule; a typed code (curl, errno, gRPC, exit code, signal, JSON-RPC); the HTTP status,
// which gives the class; a recognised code in the body, which refines or overrides the class; a phrase of the
// provider's own message, which refines it; free text where nothing above exists; `execution_error`. A number alone,
// and words in quotes, paths, identifiers and URLs, are never evidence. docs/classification.md has the whole story.
//
// The body is read once, front to back. Nothing here allocates, throws or recurses; memory is a fixed 40 KiB of stack,
// time is linear in the body (about 1 ns a byte) plus a bounded share for the texts in it, of which the first 3 KiB and
// the last 2 KiB are looked at. Any bytes are safe in every argument. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "fuseboard/classify/modifier.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard {

class UserRules;

enum class Channel : std::uint8_t {
  http,       // a whole HTTP answer of any status
  sse,        // a stream that has ended: `body` is what came of it
  transport,  // no complete answer: curl, errno, resolver, TLS, an HTTP client's own error
  mcp,        // a JSON-RPC answer, or what came in its place
  process,    // a program that ended: `body` is its standard error
  message,    // nothing but a text, such as an exception's
};
std::string_view name(Channel channel) noexcept;
std::optional<Channel> channel_from_name(std::string_view name) noexcept;

// What kind of target failed. Another model may accept what this one's credential does not; another tool is not asked.
enum class Domain : std::uint8_t { llm, tool };
std::string_view name(Domain domain) noexcept;
std::optional<Domain> domain_from_name(std::string_view name) noexcept;

struct HeaderField {
  std::string_view name;  // any case
  std::string_view value;
};

// All that is known of an attempt's end. Views are read during the call alone, except those of `rule`, which are
// static.
struct CallEvidence {
  Channel channel = Channel::http;
  Domain domain = Domain::llm;
  int status = 0;  // HTTP; 0: none
  std::span<const HeaderField> headers{};
  std::string_view body{};
  std::string_view message{};     // an exception's text
  std::string_view typed_code{};  // "curl:28", "errno:ECONNRESET", "gai:EAI_AGAIN", "tls:...", "undici:...", "js:..."
  std::optional<int> exit_code{};
  std::string_view signal{};  // "SIGSEGV"
  // For dates and absolute resets. Without it they are no hint.
  std::optional<WallTime> now{};
};

// What sort of rule of our own side refused, where the category is policy_violation.
enum class PolicyDetail : std::uint8_t {
  none,
  sandbox,   // the sandbox that a tool runs in
  planning,  // a mode in which nothing may be changed yet
  guardrail,
  budget,
};
std::string_view name(PolicyDetail detail) noexcept;

// Why: the row of a table. Texts are static (of a user's rule: as long as its UserRules lives).
struct RuleReference {
  std::string_view kind{};    // "status", "code", "phrase", "typed", "text status", "stream", "user", "default", ...
  std::string_view text{};    // the row's own key; empty where a number says it
  int number = 0;             // of a status or an exit code
  std::string_view source{};  // where the fact comes from
};

struct Classification {
  std::optional<Failure> failure{};  // nullopt: nothing failed
  Modifier modifier = Modifier::none;
  PolicyDetail detail = PolicyDetail::none;
  RuleReference rule{};
};

Classification classify(const CallEvidence& evidence) noexcept;
// `rules` win over ours.
Classification classify(const CallEvidence& evidence, const UserRules& rules) noexcept;

}  // namespace fuseboard
