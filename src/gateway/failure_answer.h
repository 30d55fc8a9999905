// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which error the caller of a failed call is told, and in what words:
// 1. Where nothing was sent, or the time ran out, what rejected the call: rejection_response.h.
// 2. Where an attempt decided, that attempt's error [FBK-4]. Which attempt, the engine says
// (pipeline/primary_attempt.h);
//    what its upstream answered is among the kept_errors.h, and is told as it is, or in the caller's dialect. But an
//    upstream that refuses our credential is never shown as it is: its 401 would look like the caller's own [FBK-6].
// 3. Where that attempt got no answer that can be shown, how the call went: summary() of cause.h.
// A stream that had begun has its last words in interrupted_stream.h.
#pragma once

#include <span>

#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"
#include "gateway/error_response.h"
#include "gateway/kept_errors.h"
#include "gateway/untranslatable.h"

namespace fuseboard::gateway {

struct RelayedCall;

// Of a call that has ended in any way but success, interrupted or cancelled: with whose limits stand where.
Answer failure_answer(const RelayedCall& relayed);

struct FailureCircumstances {
  const UpstreamError* upstream = nullptr;           // of the record's primary attempt; nullptr: none can be shown
  std::span<const Untranslatable> untranslatable{};  // targets that were not asked for that
  bool passthrough = false;                          // the credential was the caller's own
  bool keyless = false;                              // there was none
};
// The same without the limits. Pure.
Answer failure_response(const CallRecord& record, const Plan& plan, const FailureCircumstances& circumstances,
                        const ServedBy& served_by);

}  // namespace fuseboard::gateway
