// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Permission by one breaker for one attempt [BRK-10]. Whoever settles one includes circuit_breaker.h.
#pragma once

#include <cstdint>

#include "fuseboard/core/issuer.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/unwinding.h"

namespace fuseboard {

class CircuitBreaker;

// Permission for one attempt. Settle it once; destroyed unsettled it is abandoned: neutral, or a failure where
// `abandoned_is_failure` is set, or where an exception unwinds the scope that holds it on the thread that acquired it:
// code that throws between admission and settlement has failed [BRK-10]. Who throws to cancel gives it back first. A
// permit may be settled on another thread than the one that acquired it, but is not itself thread-safe. Its breaker
// must outlive it.
class [[nodiscard]] BreakerPermit {
 public:
  // Holds nothing: settling it does nothing. What an untracked key gets.
  BreakerPermit() noexcept = default;
  BreakerPermit(BreakerPermit&&) noexcept = default;
  BreakerPermit& operator=(BreakerPermit&& other) noexcept { return replace_permit(*this, other); }
  ~BreakerPermit() {
    if (breaker_) [[unlikely]] {
      abandon();
    }
  }

  // Tells the breaker how the attempt ended. A second call does nothing. Where a `slow_call_rate` is set and the
  // outcome has no latency, it is that of the first content, or the time since the permit was granted.
  void settle(const Outcome& outcome) &&;

  // A stream has delivered its first content, `latency` after it began. A probe has then succeeded, and the permit goes
  // on as one of the state that follows, for the final verdict [BRK-8]. Does nothing to a permit that is no probe.
  void first_content(Duration latency);

  // The target has answered this attempt, in whatever way. Where the circuit opened as silent while the attempt was in
  // flight, that was wrong: it closes, the one exception to BRK-9, and the permit goes on as one of the closed state
  // [RTY-14]. Takes the breaker's mutex.
  void answered();

  // The attempt's company has answered and it has not. A probe has failed then; any other attempt is no evidence
  // [BRK-7].
  void overtaken() &&;

  // The attempt was not made, or nobody wants its outcome: abandoned, whatever unwinds the scope.
  void release() && noexcept;

  bool is_probe() const noexcept { return ticket_.lease != kNoLease; }
  // Of the breaker when it granted this permit [BRK-9]; 0 if it is no evidence: of an untracked key, or granted by an
  // override where the circuit would have refused.
  std::uint64_t generation() const noexcept { return ticket_.generation; }

 private:
  friend class CircuitBreaker;
  static constexpr std::uint64_t kNoGeneration = 0;  // an outcome that is no evidence, whatever the state
  static constexpr std::uint32_t kNoLease = ~std::uint32_t{0};
  static constexpr std::uint32_t kUntracked = ~std::uint32_t{0};
  static constexpr TimePoint kNotMeasured = TimePoint::min();
  static constexpr Duration kNotShown = Duration::min();

  struct Ticket {
    std::uint64_t generation = kNoGeneration;
    std::uint32_t lease = kNoLease;     // index of the probe's lease
    std::uint32_t flight = kUntracked;  // where its start is kept
    // Where a rule asks how long calls take: when it was granted, and what first_content() has told.
    TimePoint began = kNotMeasured;
    Duration first_content = kNotShown;

    // No probe, and its start is not kept.
    constexpr bool is_plain() const noexcept { return (lease & flight) == kNoLease; }
  };

  BreakerPermit(CircuitBreaker& breaker, Ticket ticket) noexcept
      : breaker_(breaker), ticket_(ticket), acquired_(UnwindingMark::now()) {}
  void abandon() noexcept;

  Issuer<CircuitBreaker> breaker_{};
  Ticket ticket_{};
  UnwindingMark acquired_{};
};

}  // namespace fuseboard
