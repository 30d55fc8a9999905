// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Any bytes as evidence on every channel, as headers and as hints. Checked are the promises of classifier.h and
// hints.h: a verdict for everything, hints that are whole milliseconds and never negative, and properties that follow
// from the category or from a departure that is named.
//
// Input: a first byte that chooses channel and domain, two bytes of status, then lines: "name: value" headers until an
// empty one, then a typed code, a message, and the body.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/classify/advice.h"
#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/hints.h"
#include "fuseboard/classify/user_rules.h"
#include "fuseboard/core/check.h"

namespace {

using namespace fuseboard;

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void check_hint(const std::optional<Duration>& hint) {
  if (!hint) return;
  check_invariant(*hint >= Duration::zero(), "a hint is not negative");
  check_invariant(hint->count() % 1'000'000 == 0, "a hint is whole milliseconds");
}

void check_verdict(const Classification& judged) {
  check_invariant(!judged.rule.kind.empty() && !judged.rule.source.empty(), "a verdict names its rule");
  check_invariant(!advice_for(judged).suggestions.empty(), "there is advice for everything");
  if (!judged.failure) return;
  check_hint(judged.failure->retry_after);
  const bool is_policy = judged.failure->category == Category::policy_violation;
  check_invariant(judged.detail == PolicyDetail::none || is_policy, "only a policy violation has a detail");
}

void read_hints(std::optional<WallTime> now, std::string_view text) {
  check_hint(parse_unit_duration(text));
  check_hint(parse_reset(now, text));
  check_hint(parse_rfc3339_reset(now, text));
  check_hint(parse_decimal_duration(text, std::chrono::hours(1)));
}

const UserRules& rules() {
  static const UserRules instance(std::vector<UserRule>{
      {.phrase = "brewing ... <q>", .category = Category::overloaded},
      {.body_code = "teapot", .trips_breaker = false},
      {.header = "x-a", .header_value = "b", .retryable = true},
  });
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  CallEvidence evidence{.channel = static_cast<Channel>(data[0] % 6),
                        .domain = static_cast<Domain>(data[0] / 6 % 2),
                        .status = (data[1] << 8 | data[2]) % 700};
  if (data[0] >= 128) evidence.now = WallTime(std::chrono::seconds(1767225600));
  std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  std::vector<HeaderField> headers;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) break;
    headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
    read_hints(evidence.now, headers.back().value);
  }
  evidence.headers = headers;
  evidence.typed_code = take_line(rest);
  evidence.message = take_line(rest);
  evidence.body = rest;
  if (evidence.channel == Channel::process) evidence.exit_code = evidence.status % 256;
  const Classification judged = classify(evidence);
  check_verdict(judged);
  check_verdict(classify(evidence, rules()));
  if (evidence.channel == Channel::http && evidence.status >= 400 && evidence.typed_code.empty()) {
    const bool is_grpc_success = !judged.failure && !evidence.headers.empty();
    check_invariant(judged.failure.has_value() || is_grpc_success, "an error status is a failure");
  }
  return 0;
}
