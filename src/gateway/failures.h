// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What failed recently, and why: of each target the last cause, for the state and for whoever reports on its breaker,
// and a line in the log for each call that failed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "fuseboard/core/append_only_map.h"
#include "fuseboard/core/bounded_text.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/call_observers.h"
#include "fuseboard/pipeline/plan.h"
#include "fuseboard/pipeline/record.h"

namespace fuseboard::gateway {

// Takes a fact that is worth a line. Called on any thread; it must not block.
using LogSink = std::function<void(std::string_view line)>;

// "provider/model" of each.
using TargetNames = std::set<std::string, std::less<>>;

struct LastFailure {
  Category category = Category::execution_error;
  BoundedText<199> cause{};  // empty: the category says all
  TimePoint at{};
};

// Thread-safe. Of the configured targets alone, so that what callers write as a model's name costs no memory. A storm
// of failures is no storm of lines: beyond `kMaxLines` a second they are counted, and the next line says how many.
class Failures final : public CallObserver {
 public:
  // A null sink: nothing is logged.
  Failures(const TargetNames& targets, const Clock& clock, LogSink log);
  // Before calls begin with them. What is known of other targets is kept.
  void add(const TargetNames& targets) { by_target_.add(targets); }

  void attempt_failed(std::string_view target, Category category, std::string_view cause) noexcept;
  std::optional<LastFailure> last(std::string_view target) const;

  // A line for one without an answer, or with a broken one, unless its caller left.
  void call_ended(const CallId& id, const std::shared_ptr<const Plan>& plan,
                  const CallRecord& record) noexcept override;

  static constexpr std::uint64_t kMaxLines = 20;

 private:
  struct Entry {
    mutable Mutex mutex;
    std::optional<LastFailure> last FUSEBOARD_GUARDED_BY(mutex);
  };
  // How many lines were left out before this one; nullopt: this one is left out as well.
  std::optional<std::uint64_t> take_line();

  const Clock& clock_;
  const LogSink log_;
  AppendOnlyMap<Entry> by_target_;
  Mutex mutex_;
  TimePoint window_began_ FUSEBOARD_GUARDED_BY(mutex_){};
  std::uint64_t lines_ FUSEBOARD_GUARDED_BY(mutex_) = 0;  // in the window
  std::uint64_t left_out_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

// "call failed request_id=… model=… target=… ending=… attempts=… duration_ms=… cause=…", on one line; the cause goes
// on to its end.
std::string failed_call_line(std::string_view request_id, const CallRecord& record, const Plan& plan);

}  // namespace fuseboard::gateway
