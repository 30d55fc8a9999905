// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/stream_deadlines.h"

#include <algorithm>

namespace fuseboard::gateway {
namespace {

TimePoint content_by(const Attempt& attempt, const AnswerStream& stream, const FirstContent& first_content) noexcept {
  if (!stream.worked()) return std::min(attempt.first_content_by, attempt.total_by);
  return std::min({saturating_add(stream.last_event(), first_content.limit), first_content.deadline, attempt.total_by});
}

}  // namespace

NextBytes next_bytes(const Attempt& attempt, const AnswerStream& stream, const FirstContent& first_content,
                     const ReadingPace& caller) noexcept {
  if (!stream.content_seen()) {
    return {content_by(attempt, stream, first_content), TransportFault::first_content_timeout};
  }
  const TimePoint idle_by = saturating_add(saturating_add(stream.last_event(), caller.unheard()), attempt.idle);
  const TimePoint total_by = saturating_add(attempt.total_by, caller.paused());
  if (idle_by <= total_by) return {idle_by, TransportFault::idle_timeout};
  return {total_by, TransportFault::total_timeout};
}

Duration patience_of(const Attempt& attempt, TransportFault fault, TimePoint started) noexcept {
  if (fault == TransportFault::idle_timeout) return attempt.idle;
  const TimePoint by = fault == TransportFault::first_content_timeout
                           ? std::min(attempt.first_content_by, attempt.total_by)
                           : attempt.total_by;
  return elapsed(started, by);
}

}  // namespace fuseboard::gateway
