// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Attempts that a blocking caller runs on threads of their own, because several may be under way.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "fuseboard/core/check.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/wake_flag.h"
#include "fuseboard/pipeline/execution.h"

namespace fuseboard::pipeline_internal {

// Owned by the caller's thread; its destructor asks all sends to stop and waits for them.
template <typename Reply>
class HedgedSends {
 public:
  // How a send ended.
  struct Ended {
    std::uint32_t attempt;
    std::optional<Reply> reply;
    std::exception_ptr thrown;

    // The reply, or throws what the send threw.
    Reply value() && {
      if (thrown) std::rethrow_exception(thrown);
      return *std::move(reply);
    }
  };

  explicit HedgedSends(std::shared_ptr<WakeFlag> woken) : mailbox_(std::move(woken)) {}

  template <typename Send>
  void start(const Attempt& attempt, Send send) {
    for (std::jthread& thread : threads_) {
      if (thread.joinable()) continue;
      thread = std::jthread([this, attempt, send = std::move(send)](const std::stop_token& stop) mutable {
        Ended ended{.attempt = attempt.number, .reply = {}, .thrown = {}};
        try {
          ended.reply.emplace(send(attempt, stop));
        } catch (...) {
          ended.thrown = std::current_exception();
        }
        mailbox_.put(std::move(ended));
      });
      numbers_[static_cast<std::size_t>(&thread - threads_.data())] = attempt.number;
      return;
    }
    check_invariant(false, "a call has at most kMaxConcurrentAttempts attempts in flight");
  }

  // A send that has ended and was not taken yet.
  std::optional<Ended> take() {
    std::optional<Ended> ended = mailbox_.take();
    if (ended) {
      for (std::size_t i = 0; i < threads_.size(); ++i) {
        if (numbers_[i] == ended->attempt && threads_[i].joinable()) threads_[i].join();
      }
    }
    return ended;
  }

 private:
  class Mailbox {
   public:
    explicit Mailbox(std::shared_ptr<WakeFlag> woken) : woken_(std::move(woken)) {}
    void put(Ended ended) {
      {
        const MutexLock lock(mutex_);
        ended_.push_back(std::move(ended));
      }
      woken_->wake();
    }
    std::optional<Ended> take() {
      const MutexLock lock(mutex_);
      if (ended_.empty()) return std::nullopt;
      std::optional<Ended> first(std::move(ended_.front()));
      ended_.pop_front();
      return first;
    }

   private:
    const std::shared_ptr<WakeFlag> woken_;
    Mutex mutex_;
    std::deque<Ended> ended_ FUSEBOARD_GUARDED_BY(mutex_);
  };

  Mailbox mailbox_;
  std::array<std::uint32_t, kMaxConcurrentAttempts> numbers_{};
  std::array<std::jthread, kMaxConcurrentAttempts> threads_;  // last: they use the rest until they have ended
};

}  // namespace fuseboard::pipeline_internal
