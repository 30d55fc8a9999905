// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Coroutines of the event loop: Task, spawn and OneShot. Nothing here knows sockets or Boost.
//
// A Task belongs to one loop's thread. It starts when it is awaited and its awaiter resumes inline when it ends
// (symmetric transfer: no queue, no stack growth). Frames are recycled through a bounded per-thread cache.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "fuseboard/core/check.h"

namespace fuseboard::net {

namespace task_internal {

void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct RecycledFrame {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }
};

struct ResumeAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    return finished.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct CommonPromise : RecycledFrame {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::suspend_always initial_suspend() const noexcept { return {}; }
  ResumeAwaiter final_suspend() const noexcept { return {}; }
};

}  // namespace task_internal

// A lazy computation that yields a T. Move-only; await it once, as a temporary or through std::move(task).
// Destroying a task that has not ended destroys everything it awaits; the awaitables of this module allow that.
// An exception propagates to the awaiter.
template <class T = void>
class [[nodiscard]] Task {
 public:
  struct promise_type : task_internal::CommonPromise {
    std::variant<std::monostate, T, std::exception_ptr> result{};
    Task get_return_object() noexcept { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    template <class U>
    void return_value(U&& value) {
      result.template emplace<1>(std::forward<U>(value));
    }
    void unhandled_exception() noexcept { result.template emplace<2>(std::current_exception()); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().continuation = awaiter;
    return handle_;
  }
  T await_resume() {
    auto& result = handle_.promise().result;
    if (result.index() == 2) std::rethrow_exception(std::get<2>(std::move(result)));
    return std::get<1>(std::move(result));
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : task_internal::CommonPromise {
    std::exception_ptr error{};
    Task get_return_object() noexcept { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    void return_void() const noexcept {}
    void unhandled_exception() noexcept { error = std::current_exception(); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().continuation = awaiter;
    return handle_;
  }
  void await_resume() const {
    if (handle_.promise().error) std::rethrow_exception(handle_.promise().error);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

// Starts `task` at once on this thread and lets it run on its own. An exception that leaves it stops the program.
void spawn(Task<void> task);

// A value that is set once and awaited by at most one coroutine, in either order, on one thread.
// set() resumes the waiting coroutine before it returns, so the OneShot may be gone by then.
template <class T = std::monostate>
class OneShot {
 public:
  OneShot() = default;
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  // Returns false, and changes nothing, when it was set before.
  bool set(T value = T{}) {
    if (value_) return false;
    value_.emplace(std::move(value));
    if (waiter_) std::exchange(waiter_, {}).resume();
    return true;
  }
  bool is_set() const noexcept { return value_.has_value(); }

  auto operator co_await() noexcept { return Awaiter(*this); }

 private:
  class Awaiter {
   public:
    explicit Awaiter(OneShot& owner) noexcept : owner_(owner) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      // Only a frame that is destroyed while it waits still stands in the slot.
      if (waiting_) owner_.waiter_ = {};
    }
    bool await_ready() const noexcept { return owner_.value_.has_value(); }
    void await_suspend(std::coroutine_handle<> awaiter) {
      check_invariant(!owner_.waiter_, "a OneShot has one waiter");
      owner_.waiter_ = awaiter;
      waiting_ = true;
    }
    T await_resume() {
      waiting_ = false;
      return std::move(*owner_.value_);
    }

   private:
    OneShot& owner_;
    bool waiting_ = false;
  };

  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
};

}  // namespace fuseboard::net
