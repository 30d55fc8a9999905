// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/filtered_answer.h"

#include <utility>

namespace fuseboard::gateway {

// No evidence against the target, and nothing to try again: another target is asked only where the plan's fallback_on
// says so. If none answers, the caller reads the reason in what the provider sent.
void end_filtered(ModelAttempt& attempt, net::ResponseHead head, std::string body, const llm::Usage& usage,
                  const llm::SeenOutput& seen) {
  attempt.relayed.errors.keep({.attempt = attempt.number(),
                               .dialect = attempt.relayed.call.dialect,
                               .head = std::move(head),
                               .body = std::move(body),
                               .ready = true},
                              attempt.secrets());
  AttemptReport report = AttemptReport::failed(Failure::of(Category::content_policy), true);
  report.usage = usage_of(usage);  // what was filtered is billed
  report.seen_output = seen.tokens();
  attempt.end(report, "its safety system withheld the answer");
}

}  // namespace fuseboard::gateway
