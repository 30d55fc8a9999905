// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The calls in flight on one loop, so that a drain whose time is over can end each with words for its caller.
#pragma once

namespace fuseboard::gateway {

// Private to CallsInFlight and what it links.
class CallInFlight {
 public:
  CallInFlight(const CallInFlight&) = delete;
  CallInFlight& operator=(const CallInFlight&) = delete;

  // Ends the call soon: its caller is told that the gateway is shutting down. May be called from anywhere on the loop.
  virtual void shut_down() = 0;

 protected:
  CallInFlight() = default;
  ~CallInFlight() = default;

 private:
  friend class CallsInFlight;
  CallInFlight* next_ = nullptr;
  CallInFlight* previous_ = nullptr;
};

// Loop thread only. Holds no call: each adds itself and removes itself before it goes.
class CallsInFlight {
 public:
  void add(CallInFlight& call) noexcept {
    call.next_ = first_;
    if (first_ != nullptr) first_->previous_ = &call;
    first_ = &call;
  }

  void remove(CallInFlight& call) noexcept {
    (call.previous_ != nullptr ? call.previous_->next_ : first_) = call.next_;
    if (call.next_ != nullptr) call.next_->previous_ = call.previous_;
  }

  // No call may end within its shut_down().
  void shut_down_all() {
    for (CallInFlight* call = first_; call != nullptr; call = call->next_) call->shut_down();
  }

 private:
  CallInFlight* first_ = nullptr;
};

}  // namespace fuseboard::gateway
