// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The judges of the channels, and what they share.
#pragma once

#include <optional>
#include <string_view>

#include "classify/conclusion.h"
#include "classify/error_facts.h"
#include "classify/rules.h"
#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/hints.h"

namespace fuseboard::classify_internal {

// A conclusion and the row that gave it.
struct Match {
  Conclusion conclusion{};
  RuleReference rule{};
  bool by_status = false;  // nothing but the HTTP status spoke
};

Match found(const StatusRow& row) noexcept;
Match found(const CodeRow& row) noexcept;
Match found(const PhraseRow& row) noexcept;
Match found(const TypedRow& row) noexcept;
Match found(const NumberRow& row, std::string_view kind) noexcept;
Match found(const SignalRow& row) noexcept;
Match found(const FinishRow& row) noexcept;
// Not from a table.
Match found(Category category, std::string_view kind, std::string_view text, std::string_view source) noexcept;
Match by_default() noexcept;

// What headers say, read in one walk.
// How sure a class is, which decides how much a message may change it.
enum class Certainty : std::uint8_t {
  firm,     // messages speak only within the class
  generic,  // the class says no more than that something failed; a message that names a cause says more
  none,     // nothing but messages speaks
};
// The row by which a message refines a class; nullptr where none does.
const PhraseRow* refining_row(const Words& words, Category known, Certainty certainty) noexcept;
// A code that stands inside a text.
struct TypedText {
  std::optional<Match> found{};
  Certainty certainty = Certainty::firm;
};
TypedText typed_in(std::string_view text, const Words& words) noexcept;
// "MCP error -32001: Request timed out"
const NumberRow* rpc_code_in(std::string_view text) noexcept;
// Whether a window of a minute or less is named: a quota of it is a rate.
bool names_short_window(const Words& words) noexcept;
// "insufficient balance (1008)"
const NumberRow* trailing_minimax_row(std::string_view message) noexcept;

struct HeaderFacts {
  RetryHints hints{};
  std::string_view content_type{};
  std::string_view error_type{};  // x-amzn-errortype
  std::string_view grpc_message{};
  std::optional<int> grpc_status{};
  bool envoy_overloaded = false;
  bool envoy_rate_limited = false;
};
HeaderFacts read_headers(const CallEvidence& evidence) noexcept;

// Everything about waiting, and for whom.
struct Waits {
  RetryHints headers{};
  std::optional<Duration> body{};
  bool nothing_allowed = false;  // the window is empty from the start
  bool long_window = false;
  bool short_window = false;
  FailureScope scope = FailureScope::unnamed;
  bool exceeds_limit = false;  // more is requested than the limit ever allows
};
Waits waits_of(const HeaderFacts& headers, const ErrorFacts& facts) noexcept;

// A wait named in a text: "try again in 6m0s", "retry after 9 seconds". And "limit: 0".
std::optional<Duration> wait_in(const Words& words) noexcept;
bool allows_nothing(const Words& words) noexcept;

Classification settle(const CallEvidence& evidence, const Match& found, const Waits& waits) noexcept;
inline constexpr Classification kNothingFailed = {
    .failure = std::nullopt, .rule = {.kind = "success", .source = "nothing in it says that it failed"}};

// A failed HTTP answer: status, codes, then phrases of the messages; fills in the waits that the messages name.
// `status` is that of the wire, 200 for an error inside a success.
Match judge_answer(int status, const HeaderFacts& headers, const ErrorFacts& facts, Waits& waits) noexcept;

// A text and nothing else; nullopt where it says nothing.
std::optional<Match> judge_text(std::optional<WallTime> now, std::string_view text, Waits& waits) noexcept;

Classification judge_http(const CallEvidence& evidence) noexcept;
Classification judge_stream(const CallEvidence& evidence) noexcept;
Classification judge_rpc(const CallEvidence& evidence) noexcept;
Classification judge_process(const CallEvidence& evidence) noexcept;
Classification judge_transport(const CallEvidence& evidence) noexcept;
Classification judge_message(const CallEvidence& evidence) noexcept;

// What a whole answer under a 2xx, or one event of a stream, says about its own end.
struct Ending {
  std::optional<Match> failure{};
  bool is_error = false;  // an error object: read_body has more to say
  bool finished = false;  // with a reason that is no failure
  bool has_choices = false;
  bool answers = false;  // something to read was in it
  bool refused = false;  // the model's own refusal stands where an answer would
};
Ending ending_of(const ErrorTree& tree, Domain domain) noexcept;

bool is_html(std::string_view content_type, std::string_view body) noexcept;

}  // namespace fuseboard::classify_internal
