// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/http_failure.h"

#include "classify/judge.h"

namespace fuseboard {

Failure classify_http(const HttpFailure& failure) noexcept {
  using namespace classify_internal;
  ErrorFacts facts(std::nullopt);
  facts.add_code(failure.error_code);
  facts.add_code(failure.error_type);
  facts.add_message(failure.error_message);
  const HeaderFacts headers{.hints = failure.hints};
  Waits waits = waits_of(headers, facts);
  const Match found = judge_answer(failure.status, headers, facts, waits);
  return *settle({.status = failure.status}, found, waits).failure;
}

}  // namespace fuseboard
