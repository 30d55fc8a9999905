// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is kept for one tool beside its breaker.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "fuseboard/breaker/key_companion.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/limit/throttle_gate.h"
#include "fuseboard/limit/token_bucket.h"
#include "fuseboard/tools/tool_options.h"

namespace fuseboard::tools_internal {

// Thread-safe, lock-free.
class Tool final : public KeyCompanion {
 public:
  Tool(const ToolOptions& options, const KeyView& key, std::uint64_t seed)
      : gate_(key, options.breaker.retry_after_max), cancelled_is_failure_(options.cancelled_is_failure) {
    if (options.limit) bucket_.emplace(*options.limit, key, seed);
  }

  // Takes one call's tokens, or says why not; without a limit the grant is none. Reads the clock only where there is
  // something to be limited.
  std::expected<std::optional<TokenGrant>, Rejection> take(const Clock& clock, Priority priority) {
    if (!bucket_ && !gate_.touched()) return std::nullopt;
    const TimePoint now = clock.now();
    if (gate_.touched()) [[unlikely]] {
      if (const auto shut = gate_.peek_rejection(now)) return std::unexpected(*shut);
    }
    if (!bucket_) return std::nullopt;
    return bucket_->try_acquire(now, 1, priority);
  }
  // Gives back what take() took.
  void release(TimePoint now, const TokenGrant& taken) noexcept { bucket_->release(now, taken); }
  std::optional<Rejection> peek_rejection(TimePoint now, Priority priority) const {
    if (const auto shut = gate_.peek_rejection(now)) return shut;
    return bucket_ ? bucket_->peek_rejection(now, 1, priority) : std::nullopt;
  }

  void apply_retry_after(const Failure& failure, TimePoint now) noexcept { gate_.apply_retry_after(failure, now); }
  bool cancelled_is_failure() const noexcept { return cancelled_is_failure_; }

  void reset() noexcept {
    gate_.open();
    if (bucket_) bucket_->reset();
  }

  const TokenBucket* bucket() const noexcept { return bucket_ ? &*bucket_ : nullptr; }
  // How long the tool is left alone.
  Duration paused_for(TimePoint now) const noexcept {
    const auto shut = gate_.peek_rejection(now);
    return shut ? *shut->retry_after : Duration::zero();
  }

  // A bucket that is not full and a gate that is shut would be forgotten: the tool could come back under its old name
  // and start again.
  bool is_idle(TimePoint now) const noexcept override { return !gate_.closed(now) && (!bucket_ || bucket_->full(now)); }

 private:
  std::optional<TokenBucket> bucket_;
  ThrottleGate gate_;
  const bool cancelled_is_failure_;
};

}  // namespace fuseboard::tools_internal
