// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The simple limiter for tools: so many calls a second each, and if wished so many a minute for all together [LIM-6].
//
//   ToolLimiter limiter(tool_limiter_options_from(environment, warn));
//   if (auto granted = limiter.try_acquire(now, "search"); !granted) return granted.error();
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/atomic.h"
#include "fuseboard/core/key.h"
#include "fuseboard/core/key_index.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rejection.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/time.h"
#include "fuseboard/core/validation.h"
#include "fuseboard/limit/refilling_level.h"

namespace fuseboard {

struct ToolLimiterOptions {
  // Calls a second of one tool; 0.000001 to 1 000 000 000.
  double rate = 20.0;
  // Calls of one tool that may go at once; 1 to 1 000 000 000. Default: a second's worth, at least 5.
  std::optional<double> burst{};
  // The process-wide gate: calls a minute of all tools together; 0.0001 to 60 000 000 000. Its burst is a second's
  // worth, at least 5 but no more than a minute's worth. Without it there is no such gate.
  std::optional<double> process_calls_per_minute{};
  // Tools with a bucket of their own; 1 to 1 000 000. Those beyond share one more bucket: they are limited together.
  std::size_t max_keys = 10'000;

  double tool_burst() const noexcept;
  double process_burst() const noexcept;
  Problems validate() const;
};

// A variable's value, or nullopt if it is not set.
using EnvironmentVariables = std::function<std::optional<std::string>(std::string_view variable)>;

// `base` with what the environment says instead: FUSEBOARD_TOOL_RATE_LIMIT (`rate`), FUSEBOARD_TOOL_BURST (`burst`) and
// FUSEBOARD_TOOL_CALLS_PER_MIN (`process_calls_per_minute`). A value that is no number or outside the option's range,
// so zero and all below it too, is ignored; all such are named in one call of `warn`.
ToolLimiterOptions tool_limiter_options_from(const EnvironmentVariables& environment,
                                             const std::function<void(std::string_view)>& warn,
                                             ToolLimiterOptions base = {});

// A call may hasten its tool's refill by a factor; smaller ones, NaN included, count as the least, larger as the most.
inline constexpr double kMinSpeed = 1.0;
inline constexpr double kMaxSpeed = 1000.0;

// What one call took, to be given back if it does not take place.
class ToolGrant {
 private:
  friend class ToolLimiter;
  std::uint64_t filling_ = 0;  // of the bucket and of the gate, see RefillingLevel
  std::uint64_t gate_filling_ = 0;
};

// In any interval of length t at most burst + rate * (largest speed) * t calls of a tool are admitted, and of all tools
// what the process-wide gate lets through. Thread-safe: a tool is found without a lock; its own mutex, and the gate's,
// are held for some tens of nanoseconds. A known tool costs no allocation.
class ToolLimiter {
 public:
  // Throws InvalidOptions. The seed is that of the jitter.
  explicit ToolLimiter(const ToolLimiterOptions& options = {}, std::uint64_t seed = Rng::random_seed());
  ~ToolLimiter();
  ToolLimiter(const ToolLimiter&) = delete;
  ToolLimiter& operator=(const ToolLimiter&) = delete;

  // Takes one call from the tool's bucket and from the gate, or from neither: `rate_limited`, with the wait after which
  // the same call would pass if nobody else called, plus up to 10 % [LIM-3]. The time since the tool was last asked for
  // refills its bucket `speed` times as fast, never above the burst. The gate knows no speed.
  [[nodiscard]] std::expected<ToolGrant, Rejection> try_acquire(TimePoint now, KeyView tool, double speed = 1.0);

  // Whether try_acquire() would refuse now. Takes nothing, refills nothing, makes no bucket.
  bool is_limited(TimePoint now, KeyView tool, double speed = 1.0) const;

  // Gives a call back to the tool and to the gate, once, because it did not take place. A bucket that has been full
  // since gets nothing.
  void release(KeyView tool, const ToolGrant& grant);

  // Fills the tool's bucket. Whether it had one of its own. The gate stays as it is.
  bool reset(KeyView tool);
  // Fills all buckets, the gate's included.
  void reset_all();

  // Tools with a bucket of their own.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  // Calls of tools that shared the bucket of those beyond max_keys, refused ones included.
  std::uint64_t shared_calls() const noexcept { return shared_calls_.load(std::memory_order_relaxed); }
  const ToolLimiterOptions& options() const noexcept { return options_; }

 private:
  struct Bucket {
    Bucket(KeyView bucket_key, double burst) : name(bucket_key), level(burst) {}
    KeyView key() const noexcept { return name.view(); }

    const Key name;
    mutable Mutex mutex;
    RefillingLevel level FUSEBOARD_GUARDED_BY(mutex);
  };

  double rate_at(double speed) const noexcept;
  Bucket* find(const KeyView& tool) const noexcept { return index_.find(tool, hash(tool)); }
  // The tool's bucket, made if it is new, or the shared one.
  Bucket& find_or_create(const KeyView& tool);
  // How long until the gate lets a call through.
  Duration gate_wait_locked(TimePoint now) FUSEBOARD_REQUIRES(gate_.mutex);

  const ToolLimiterOptions options_;
  const double gate_rate_;  // calls a second
  Rng jitter_;
  // A tool's mutex is taken before the gate's.
  Bucket gate_;
  Bucket shared_;
  KeyIndex<Bucket> index_;  // inserts under mutex_
  Atomic<std::size_t> size_{0};
  Atomic<std::uint64_t> shared_calls_{0};
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Bucket>> buckets_ FUSEBOARD_GUARDED_BY(mutex_);
};

}  // namespace fuseboard
