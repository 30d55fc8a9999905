// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How long a stream may be silent [STR-3]. Time in which the caller did not read is nobody's. Pure.
#pragma once

#include "fuseboard/classify/transport.h"
#include "fuseboard/core/time.h"
#include "fuseboard/pipeline/step.h"
#include "gateway/answer_stream.h"
#include "gateway/reading_pace.h"

namespace fuseboard::gateway {

// Until when there must be content, each sign of work being a new beginning. The caller's own deadline stands.
struct FirstContent {
  Duration limit{};
  TimePoint deadline{};
};

// When the next bytes must have come, and what it means if they have not.
struct NextBytes {
  TimePoint by{};
  TransportFault fault{};
};
NextBytes next_bytes(const Attempt& attempt, const AnswerStream& stream, const FirstContent& first_content,
                     const ReadingPace& caller) noexcept;

// How long the target was given before that fault.
Duration patience_of(const Attempt& attempt, TransportFault fault, TimePoint started) noexcept;

}  // namespace fuseboard::gateway
