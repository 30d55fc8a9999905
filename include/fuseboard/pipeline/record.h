// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What happened to one call, from its first look at a breaker to its end. Everything that reports on calls reads this.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/core/bounded_list.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// Why a call ended.
enum class Ending : std::uint8_t {
  success,
  failed,             // one failure that neither a retry nor another target could mend: pass it through as it is
  retries_exhausted,  // every try that was allowed has failed
  deadline_exceeded,  // the overall deadline passed before an answer began
  circuit_open,       // every target refused before anything was sent
  interrupted,        // the answer had begun and broke off
  cancelled,          // the caller went away
};
std::string_view name(Ending ending) noexcept;

struct AttemptRecord {
  std::uint32_t number = 0;            // 1 is the first of the call
  std::uint32_t target = 0;            // index into the plan's targets
  bool probe = false;                  // it probed a half-open circuit
  bool answered = false;               // an answer of the target was read, good or bad
  std::optional<Failure> failure{};    // nullopt: success (or still running)
  Duration waited = Duration::zero();  // before it started
  TimePoint started{};
  Duration duration = Duration::zero();
  std::optional<Duration> first_content{};  // after its start
};

// An attempt that was not sent: refused locally.
struct RefusalRecord {
  std::uint32_t target = 0;
  RejectionReason reason = RejectionReason::circuit_open;
  std::optional<Duration> retry_after{};
};

// Trivially copyable and bounded: the first 15 attempts and the last, the same for refusals.
struct CallRecord {
  TimePoint started{};
  TimePoint ended{};
  Ending ending = Ending::cancelled;
  std::uint32_t attempts_sent = 0;
  std::optional<std::uint32_t> served_by{};        // target index of the answer the caller got
  std::optional<std::uint32_t> telling_attempt{};  // number of the attempt whose error the caller should see
  std::optional<Duration> retry_after{};           // a wait after which asking again is worthwhile
  BoundedList<AttemptRecord, 16> attempts;
  BoundedList<RefusalRecord, 16> refusals;

  Duration duration() const noexcept { return elapsed(started, ended); }
};

}  // namespace fuseboard
