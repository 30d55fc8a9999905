// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: a socket with its read buffer, its deadline and the one coroutine that may wait on it.
//
// The coroutine works with synchronous, non-blocking steps and waits for "something happened" where they cannot go on:
//
//   while (!done()) {
//     if (!connection.arm_read()) ...;
//     co_await connection.event();   // a read or write went on, the deadline passed, or the connection was closed
//   }
//
// so an event may be spurious and every loop looks at the state again. A read is left pending while nobody waits: that
// is how a caller that goes away is noticed while its request is handled [STR-6], and an idle connection that the
// server closes.
#pragma once

#include <array>
#include <coroutine>
#include <memory>
#include <string_view>

#include "fuseboard/core/check.h"
#include "net/asio.h"
#include "net/loop_impl.h"
#include "net/read_buffer.h"
#include "net/ref.h"

namespace fuseboard::net {

class TlsLayer;

// Up to four pieces that are sent as one.
class Pieces {
 public:
  using Parts = std::array<std::string_view, 4>;
  explicit Pieces(std::string_view a, std::string_view b = {}, std::string_view c = {},
                  std::string_view d = {}) noexcept
      : pieces_{a, b, c, d} {}
  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept {
    return pieces_[0].size() + pieces_[1].size() + pieces_[2].size() + pieces_[3].size();
  }
  const Parts& parts() const noexcept { return pieces_; }
  void consume(std::size_t n) noexcept {
    for (std::string_view& piece : pieces_) {
      const std::size_t part = std::min(n, piece.size());
      piece.remove_prefix(part);
      n -= part;
    }
  }

 private:
  Parts pieces_;
};

class Connection : public RefCounted, public LoopMember {
 public:
  // Closes the socket at once. Whoever waits is resumed later on the loop.
  void close() noexcept;
  bool closed() const noexcept { return closed_; }
  bool expired() const noexcept { return expired_; }

  // Replaces the deadline; expired() is false again until it passes.
  void expect_by(TimePoint due) noexcept {
    expired_ = false;
    set_due(due);
  }
  void expect_nothing() noexcept {
    expired_ = false;
    clear_due();
  }

  class EventAwaiter {
   public:
    explicit EventAwaiter(Connection& connection) noexcept : connection_(connection) {}
    EventAwaiter(const EventAwaiter&) = delete;
    EventAwaiter& operator=(const EventAwaiter&) = delete;
    ~EventAwaiter() {
      if (waiting_) connection_.waiter_ = {};  // the frame is destroyed while it waits
    }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      check_invariant(!connection_.waiter_, "two operations at once on one connection");
      connection_.waiter_ = waiter;
      waiting_ = true;
    }
    void await_resume() noexcept { waiting_ = false; }

   private:
    Connection& connection_;
    bool waiting_ = false;
  };
  EventAwaiter event() noexcept { return EventAwaiter(*this); }

  ReadBuffer& in() noexcept { return in_; }
  // Why no more can be read; unset while more may come.
  const ErrorCode& read_error() const noexcept { return read_error_; }
  // How the pending read waits.
  enum class Waiting : std::uint8_t {
    briefly,  // for what is about to come, with memory at hand: cheapest
    long_,    // for what may take its time: without memory, where next to nothing is held
  };
  // Lets one read be pending. False: the buffer is full and none is pending.
  bool arm_read(Waiting waiting = Waiting::briefly);
  // Reads into `room` what is there: without a copy in between, and no read may be pending. 0: nothing, or no more can
  // come, which read_error() tells. Not with TLS.
  std::size_t read_into(std::span<char> room);
  // Lets event() tell when there is something to read_into().
  void arm_readable();
  bool read_pending() const noexcept { return read_pending_; }
  // The pending read, if there is one, may take its time.
  void wait_long();
  // Lets a read be pending once what this thread is handling has been handled: looking for what is not there yet would
  // only keep the next request or answer from leaving.
  void watch();

  // Gives back what only a bulk transfer needed, if nothing is held or being read.
  void shrink_buffer() {
    if (!read_pending_ && in_.empty()) in_.shrink();
  }

  // Sends what goes without waiting and removes it from `out`. Where something is left, a write is pending afterwards.
  // TLS: what is taken from `out` may still be on its way; written() tells when it has left.
  void write_some(Pieces& out);
  bool written() const noexcept { return !write_pending_; }
  const ErrorCode& write_error() const noexcept { return write_error_; }

  Socket& socket() noexcept { return socket_; }

 protected:
  Connection(Loop& loop, Socket socket, std::size_t most_buffered);
  ~Connection() override;

  bool waited_for() const noexcept { return static_cast<bool>(waiter_); }
  void wake();
  void set_tls(std::unique_ptr<TlsLayer> tls) noexcept;
  TlsLayer* tls() noexcept { return tls_.get(); }

 private:
  // Bytes arrived or reading ended, and nobody waits.
  virtual void on_unawaited_read() = 0;
  // Reading ended; called before whoever waits is resumed.
  virtual void on_read_end() {}
  // The deadline passed and nobody waits.
  virtual void on_unawaited_deadline() = 0;
  void on_deadline() final;
  void on_loop_stop() final { close(); }

  struct WatchLink : net::Link {
    explicit WatchLink(Connection& owner) noexcept : connection(owner) {}
    Connection& connection;
  };
  class Turn;
  struct ReadDone;
  struct ReadReady;
  struct WriteDone;
  struct TlsWriteDone;
  void wait_for_bytes();
  void bytes_ready(const ErrorCode& error);
  void read_done(const ErrorCode& error, std::size_t bytes);
  void write_done(const ErrorCode& error);
  std::size_t send(const Pieces& out, ErrorCode& error);
  void write_some_tls(Pieces& out);

  Socket socket_;
  ReadBuffer in_;
  ErrorCode read_error_;
  ErrorCode write_error_;
  std::coroutine_handle<> waiter_;
  std::unique_ptr<TlsLayer> tls_;
  WatchLink watch_link_{*this};
  bool read_pending_ = false;
  bool only_tell_ = false;     // the pending read only waits
  bool to_wait_long_ = false;  // the pending read is being cancelled for the sake of its memory
  bool write_pending_ = false;
  bool closed_ = false;
  bool expired_ = false;
};

}  // namespace fuseboard::net
