// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The calls that run on one loop, so that a drain whose time is over can end each with words for its caller.
#pragma once

namespace fuseboard::gateway {

// Private to RunningCalls and what it links.
class RunningCall {
 public:
  RunningCall(const RunningCall&) = delete;
  RunningCall& operator=(const RunningCall&) = delete;

  // Ends the call soon: its caller is told that the gateway is shutting down. May be called from anywhere on the loop.
  virtual void shut_down() = 0;

 protected:
  RunningCall() = default;
  ~RunningCall() = default;

 private:
  friend class RunningCalls;
  RunningCall* next_ = nullptr;
  RunningCall* previous_ = nullptr;
};

// Loop thread only. Holds no call: each adds itself and removes itself before it goes.
class RunningCalls {
 public:
  void add(RunningCall& call) noexcept {
    call.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &call;
    first_ = &call;
  }

  void remove(RunningCall& call) noexcept {
    (call.previous_ != nullptr ? call.previous_->next_ : first_) = call.next_;
    if (call.next_ != nullptr) call.next_->previous_ = call.previous_;
  }

  // No call may end within its shut_down().
  void shut_down_all() {
    for (RunningCall* call = first_; call != nullptr; call = call->next_) call->shut_down();
  }

 private:
  RunningCall* first_ = nullptr;
};

}  // namespace fuseboard::gateway
