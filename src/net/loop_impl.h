// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: what a loop knows of the things that live on it.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <optional>
#include <thread>

#include "net/asio.h"
#include "net/loop.h"

namespace fuseboard::net {

// A ring of things; unlinks itself when it goes.
class Link {
 public:
  Link() noexcept = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const noexcept { return next_ != this; }
  Link* next() const noexcept { return next_; }
  void unlink() noexcept {
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = this;
  }
  void insert_before(Link& other) noexcept {
    unlink();
    prev_ = other.prev_;
    next_ = &other;
    prev_->next_ = this;
    other.prev_ = this;
  }

 private:
  Link* prev_ = this;
  Link* next_ = this;
};

// Something on a loop that may have a deadline and that ends when the loop stops. Loop thread only, construction
// included.
//
// Deadlines are kept by one sweep over all members instead of a timer each: setting one is a store and a comparison,
// and the sweep's own timer is moved only for a deadline earlier than all others.
class LoopMember : private Link {
 public:
  explicit LoopMember(Loop& loop) noexcept;

  Loop& loop() const noexcept { return loop_; }
  // on_deadline() is called once at `due` or up to kGrain later, unless it is set again before.
  void set_due(TimePoint due) noexcept;
  void clear_due() noexcept { due_ = kNever; }

 protected:
  ~LoopMember() = default;

 private:
  friend class MemberSweep;
  virtual void on_deadline() = 0;
  virtual void on_loop_stop() = 0;

  Loop& loop_;
  TimePoint due_ = kNever;
};

class MemberSweep {
 public:
  static constexpr Duration kGrain = std::chrono::milliseconds(25);

  explicit MemberSweep(Loop& loop, asio::io_context& context);
  void add(LoopMember& member) noexcept { member.insert_before(members_); }
  void due_set(TimePoint due) noexcept {
    if (due < armed_for_) [[unlikely]] {
      arm(due);
    }
  }
  void stop();

 private:
  void arm(TimePoint due) noexcept;
  void sweep();

  Loop& loop_;
  Link members_;
  TimePoint armed_for_ = kNever;
  AsioTimer timer_;
  bool stopped_ = false;
};

struct Loop::Impl {
  // One thread runs it and alone touches its sockets, so those need no locks. Its queue does, for post(), and so does
  // the registering of sockets, as HttpServer::listen() opens its acceptors on the caller's thread.
  Impl(Loop& loop, std::size_t position)
      : index(position),
        context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
        work(context.get_executor()),
        sweep(loop, context) {}
  void stop_now();

  const std::size_t index;
  std::atomic<std::thread::id> thread{};
  bool stopping = false;
  asio::io_context context;
  std::optional<asio::executor_work_guard<Executor>> work;
  MemberSweep sweep;
  Pauses pauses;
  bool in_turn = false;  // what has been read is being handled
  Link to_watch;         // connections that are to read on when it has been, see Connection::watch()
};

// While a loop is busy with one thing. Asio calls nothing from within what it called, so there is one at a time.
class BusyLoop {
 public:
  explicit BusyLoop(Loop& loop) noexcept : loop_(loop), began_(loop.now()) {}
  BusyLoop(const BusyLoop&) = delete;
  BusyLoop& operator=(const BusyLoop&) = delete;
  ~BusyLoop() { loop_.impl().pauses.add(elapsed(began_, loop_.now())); }

 private:
  Loop& loop_;
  const TimePoint began_;
};

inline LoopMember::LoopMember(Loop& loop) noexcept : loop_(loop) { loop.impl().sweep.add(*this); }

inline void LoopMember::set_due(TimePoint due) noexcept {
  due_ = due;
  loop_.impl().sweep.due_set(due);
}

}  // namespace fuseboard::net
