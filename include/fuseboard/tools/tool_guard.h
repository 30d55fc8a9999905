// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The one-call facade for tool runners: a breaker and a rate limit for each tool, found by its name.
//
//   ToolGuard guard;                                                // once
//   auto answer = guard.call("search", [&] { return search(query); });
//   if (!answer) return "not now: " + std::string(name(answer.error().reason));
//   return *answer;
//
// Whoever cannot wrap the call in a function takes a permit and settles it:
//
//   auto permit = guard.try_acquire("search");
//   if (!permit) return permit.error();                            // says why, and how long to wait
//   std::move(*permit).settle(ToolOutcome::execution_error);       // or success, timeout, ...
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/failure_of.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_rules.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/returned.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/thread_slot.h"
#include "fuseboard/core/time.h"
#include "fuseboard/limit/priority.h"
#include "fuseboard/pipeline/target_registry.h"
#include "fuseboard/tools/tool_options.h"
#include "fuseboard/tools/tool_result.h"

namespace fuseboard {

class ToolGuard;

namespace tools_internal {

// What a tool returned, in terms of its results.
struct ToolWords {
  using Result = ToolResult;
  template <typename T>
    requires(std::convertible_to<const T&, ToolResult> || ErrorCode<T>)
  static ToolResult of(const T& said) {
    if constexpr (std::convertible_to<const T&, ToolResult>) {
      return said;
    } else {
      return outcome_of(standard_error(said));
    }
  }
  static ToolResult success() noexcept { return ToolOutcome::success; }
  static ToolResult failure() noexcept { return ToolOutcome::execution_error; }
};

}  // namespace tools_internal

// Permission for one call of a tool. Settle it once; destroyed unsettled it is abandoned: neutral, or a failure where
// the tool's `breaker.abandoned_is_failure` is set [BRK-10]. May be settled on another thread than the one that
// acquired it, but is not itself thread-safe. Its guard must outlive it.
class [[nodiscard]] ToolPermit {
 public:
  // Holds nothing: settling it does nothing.
  ToolPermit() noexcept = default;
  ToolPermit(ToolPermit&&) noexcept = default;
  ToolPermit& operator=(ToolPermit&& other) noexcept { return replace_permit(*this, other); }
  ~ToolPermit() {
    if (guard_) [[unlikely]] {
      abandon();
    }
  }

  // Tells the guard how the call ended. A second call does nothing. `latency` matters to a breaker with a
  // `slow_call_rate` alone; zero: it is measured there.
  void settle(const ToolResult& result, Duration latency = Duration::zero()) &&;

  // Of a call that answers bit by bit: its first content has come. See BreakerPermit [BRK-8].
  void first_content(Duration latency) { permit_.first_content(latency); }
  bool is_probe() const noexcept { return permit_.is_probe(); }

 private:
  friend class ToolGuard;
  ToolPermit(ToolGuard& guard, TargetState* tool, BreakerPermit permit) noexcept
      : guard_(guard), tool_(tool), permit_(std::move(permit)) {}
  void abandon() noexcept;

  Issuer<ToolGuard> guard_{};
  TargetState* tool_ = nullptr;  // of an untracked tool: nullptr. There as long as the breaker's permit is held
  BreakerPermit permit_{};
};

// One tool at one time.
struct ToolSnapshot {
  BreakerSnapshot circuit;
  std::optional<TargetSnapshot::Rate> limit{};  // where the tool has one
  // How long it is left alone because it asked for that with a retry-after; zero if it did not.
  Duration paused_for = Duration::zero();
};

// Of all tools since the guard was made, those let go of included. Sums of per-thread counters: they may miss what
// happens meanwhile.
struct ToolTotals {
  std::uint64_t admitted = 0;
  std::uint64_t untracked = 0;  // calls of tools, and attempts of plans on them, that could not be held

  // Refused, by reason.
  std::uint64_t circuit_open = 0;
  std::uint64_t half_open_busy = 0;
  std::uint64_t rate_limited = 0;
  std::uint64_t rejected() const noexcept { return circuit_open + half_open_busy + rate_limited; }

  // Settled permits, by result, and those destroyed unsettled.
  std::uint64_t succeeded = 0;
  std::uint64_t invalid_argument = 0;
  std::uint64_t execution_error = 0;
  std::uint64_t timeout = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t judged = 0;
  std::uint64_t abandoned = 0;

  TransitionTotals transitions{};

  friend bool operator==(const ToolTotals&, const ToolTotals&) noexcept = default;
};

// A probe that is unsettled for this long after its timeout is lost.
inline constexpr Duration kProbeMargin = std::chrono::seconds(5);

// Thread-safe throughout. A known tool is admitted and settled without allocation and without a lock, for about the
// price of the clock read that a limit takes and 15 ns. A tool costs about 2.8 KiB on 2 cores. Names are single texts
// or pairs such as server and tool. The clock must outlive the guard, the guard its permits.
class ToolGuard {
 public:
  // Throws InvalidOptions. The seed is that of the jitter.
  explicit ToolGuard(const ToolGuardOptions& options = {}, const Clock& clock = SteadyClock::instance(),
                     std::uint64_t seed = Rng::random_seed());
  ToolGuard(const ToolGuard&) = delete;
  ToolGuard& operator=(const ToolGuard&) = delete;

  // One with default options for the whole process, for those who want that. It is never destroyed.
  static ToolGuard& process_default();

  // A permit, or why not, with the time after which asking again is worthwhile: `circuit_open`, `half_open_busy`, or
  // `rate_limited`, by the tool's own limit or because the tool asked for time. Nothing here waits. An open circuit
  // costs no tokens, a refused call leaves no probe behind [PIP-2, BRK-11].
  //
  // `timeout` is how long the caller will let the call run: a probe that is not settled kProbeMargin after that is
  // lost, and the next one gets its turn. Without it, `breaker.probe_lease` says when.
  [[nodiscard]] std::expected<ToolPermit, Rejection> try_acquire(const KeyView& tool,
                                                                 Priority priority = Priority::normal,
                                                                 std::optional<Duration> timeout = std::nullopt);

  // Calls `fn()` with a permit and settles it with what `fn` returns, which comes back as it is: whatever converts to
  // ToolResult, std::error_code or std::error_condition (std::io_errc, std::errc, codes of other libraries) says how
  // the call ended, and so does the error of a std::expected; every other value is a success, every other error
  // execution_error. What `fn` throws is settled as outcome_of() says and passes
  // through. Refused, `fn` is not called.
  template <std::invocable Fn>
  std::expected<std::remove_cvref_t<std::invoke_result_t<Fn>>, Rejection> call(
      const KeyView& tool, Fn&& fn, Priority priority = Priority::normal,
      std::optional<Duration> timeout = std::nullopt) {
    using Value = std::remove_cvref_t<std::invoke_result_t<Fn>>;
    auto permit = try_acquire(tool, priority, timeout);
    if (!permit) return std::unexpected(permit.error());
    const TimePoint began = clock_.now();
    const auto settle = [&](const ToolResult& result) {
      std::move(*permit).settle(result, elapsed(began, clock_.now()));
    };
    try {
      if constexpr (std::is_void_v<Value>) {
        std::invoke(std::forward<Fn>(fn));
        settle(ToolOutcome::success);
        return {};
      } else {
        std::expected<Value, Rejection> value(std::in_place, std::invoke(std::forward<Fn>(fn)));
        settle(said_by<tools_internal::ToolWords>(*value));
        return value;
      }
    } catch (const std::exception& thrown) {
      settle(outcome_of(thrown));
      throw;
    } catch (...) {
      settle(ToolOutcome::execution_error);
      throw;
    }
  }

  // What try_acquire() would refuse with now, or nullopt. Takes nothing, counts nothing, creates nothing.
  [[nodiscard]] std::optional<Rejection> peek_rejection(const KeyView& tool,
                                                        Priority priority = Priority::normal) const;

  // Closes the circuit, fills the bucket, forgets what the tool asked for. Whether the tool was known.
  bool reset(const KeyView& tool);
  void reset_all();

  // One lookup. An unknown tool reads closed and zero, its bucket full; asking creates nothing.
  ToolSnapshot snapshot(const KeyView& tool) const;
  // All tools, in the order in which they were first seen; one that took another's place stands there.
  std::vector<ToolSnapshot> snapshot() const;
  ToolTotals totals() const;

  std::size_t open_count() const noexcept { return targets_.breakers().open_count(); }
  // Whether so many tools are broken that whoever drives the calls should stop for a while; see BreakerRegistry.
  bool should_pause_for_recovery(std::size_t max_open) const {
    return targets_.breakers().should_pause_for_recovery(max_open);
  }
  // Tools that are held.
  std::size_t size() const noexcept { return targets_.size(); }

  // Every transition and override of every tool; of one tool in order [CORE-4].
  [[nodiscard]] Subscription subscribe(std::function<void(const BreakerEvent&)> listener) {
    return targets_.breakers().subscribe(std::move(listener));
  }

  // For overrides and events, which are the breakers' own. What is admitted there takes no tokens.
  BreakerRegistry& breakers() noexcept { return targets_.breakers(); }
  // The tools as targets: for plans, whose calls then share what calls here take and meet, for saved state and for live
  // options of breakers and rates; `cancelled_is_failure` stays as it was given. What else a target may be limited by
  // (limits, an adaptive rate) holds for calls of plans alone.
  TargetRegistry& targets() noexcept { return targets_; }

 private:
  friend class ToolPermit;

  // Counters of one thread.
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> admitted{0};
    std::atomic<std::uint64_t> succeeded{0};
    std::atomic<std::uint64_t> circuit_open{0};
    std::atomic<std::uint64_t> half_open_busy{0};
    std::atomic<std::uint64_t> rate_limited{0};
    std::atomic<std::uint64_t> invalid_argument{0};
    std::atomic<std::uint64_t> execution_error{0};
    std::atomic<std::uint64_t> timeout{0};
    std::atomic<std::uint64_t> cancelled{0};
    std::atomic<std::uint64_t> judged{0};
    std::atomic<std::uint64_t> abandoned{0};
  };
  using Counter = ThreadCells<Cell>::Counter;

  // Breaker is a CircuitBreaker or a BreakerHandle; `tool` may be nullptr.
  template <typename Breaker>
  std::expected<ToolPermit, Rejection> admit(Breaker& breaker, TargetState* tool, Priority priority,
                                             std::optional<Duration> timeout);
  std::unexpected<Rejection> reject(const Rejection& rejection) noexcept;
  static Counter counter_of(const ToolResult& result) noexcept;

  const Clock& clock_;
  KeyRules<bool> cancelled_is_failure_;  // constant once constructed
  ThreadCells<Cell> cells_;
  TargetRegistry targets_;
};

}  // namespace fuseboard
