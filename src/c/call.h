// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One call of the C API: a callback driver whose hooks are the caller's functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "c/boundary.h"
#include "fuseboard/c/call.h"
#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/rng.h"
#include "fuseboard/core/wake_flag.h"
#include "fuseboard/core/waker.h"
#include "fuseboard/pipeline/callback.h"

namespace fuseboard::c_api {

// What a call is made of. `keeps` holds whatever the rest refers to.
struct CallSetup {
  std::shared_ptr<const Plan> plan;
  CallOptions options;
  const Clock& clock;
  Rng& rng;
  fuseboard_call_callbacks callbacks;
  void* user;
  std::shared_ptr<const void> keeps;
};

// The caller's `wake`, until the call is gone. Thread-safe. The caller's function runs under the mutex, so that it is
// over when close() returns.
class CallersWaker final : public Waker {
 public:
  CallersWaker(void (*function)(void* user), void* user) noexcept : wake_(function), user_(user) {}
  void wake() noexcept override {
    const MutexLock lock(mutex_);
    if (wake_ != nullptr) wake_(user_);
  }
  void close() noexcept {
    const MutexLock lock(mutex_);
    wake_ = nullptr;
  }

 private:
  Mutex mutex_;
  void (*wake_)(void* user) FUSEBOARD_GUARDED_BY(mutex_);
  void* const user_;
};

}  // namespace fuseboard::c_api

struct fuseboard_call final : private fuseboard::DriverDelegate {
 public:
  // Throws StatusError.
  explicit fuseboard_call(fuseboard::c_api::CallSetup setup);
  ~fuseboard_call() override;
  fuseboard_call(const fuseboard_call&) = delete;
  fuseboard_call& operator=(const fuseboard_call&) = delete;

  // Runs `body`, which takes the driver and returns a status. After the outermost of these the call may be gone: a
  // callback has destroyed it.
  template <typename Body>
  fuseboard_status within(Body body) noexcept {
    ++depth_;
    const fuseboard_status status = fuseboard::c_api::guarded([&] { return unless_broken(body); });
    if (--depth_ == 0) settle_up();
    return status;
  }

  void destroy() noexcept;
  void drive_to_end();
  void stop() noexcept { stopping_.request_stop(); }

  bool runs_blocking() const noexcept { return callbacks_.proceed_at == nullptr; }
  fuseboard::TimePoint now() const noexcept { return clock_.now(); }
  // Null after an error that the call did not survive.
  const fuseboard::CallbackDriver* driver() const noexcept { return driver_ ? &*driver_ : nullptr; }
  const fuseboard::Execution& execution() const;

 private:
  void send(const fuseboard::Attempt& attempt) override;
  void cancel(std::uint32_t attempt) override;
  void proceed_at(fuseboard::TimePoint time) override;
  void ended(const fuseboard::CallRecord& record) override;

  template <typename Body>
  fuseboard_status unless_broken(Body& body) {
    execution();
    try {
      return body(*driver_);
    } catch (const fuseboard::c_api::StatusError&) {
      throw;  // nothing has been done yet
    } catch (...) {
      broken_ = true;
      throw;
    }
  }
  void settle_up() noexcept;

  const std::shared_ptr<const void> keeps_;
  const fuseboard::Clock& clock_;
  fuseboard_call_callbacks callbacks_;
  void* const user_;
  const std::shared_ptr<fuseboard::c_api::CallersWaker> waker_;  // null: none of the caller's
  const std::shared_ptr<fuseboard::WakeFlag> woken_;             // of a blocking run
  std::stop_source stopping_;
  fuseboard::TimePoint proceed_at_ = fuseboard::kNever;  // of a blocking run
  int depth_ = 0;
  bool doomed_ = false;  // destroyed within a callback
  bool broken_ = false;
  std::optional<fuseboard::CallbackDriver> driver_;  // last: it uses the rest until it is gone
};
