// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/task.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>

#include "net/spare_frames.h"

namespace fuseboard::net {
namespace {

// Under AddressSanitizer frames are not recycled, so that it sees the use of a dead one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUSEBOARD_NET_PLAIN_FRAMES 1
#endif
#endif
#if !defined(FUSEBOARD_NET_PLAIN_FRAMES)
#define FUSEBOARD_NET_PLAIN_FRAMES 0
#endif

// Freed frames of this thread by size class. A frame may be freed on another thread than the one that allocated it.
class FrameCache {
 public:
  static constexpr std::size_t kGrain = 128;
  static constexpr std::size_t kClasses = 128;  // frames up to 16 KiB; a relayed call's is the largest, about 8
  // What one class keeps. Few classes are ever in use; if all were full, it would be 28 MiB a thread.
  static constexpr std::size_t most_of(std::size_t index) noexcept {
    return std::min<std::size_t>(64, 256 * 1024 / ((index + 1) * kGrain));
  }

  FrameCache() = default;
  FrameCache(const FrameCache&) = delete;
  FrameCache& operator=(const FrameCache&) = delete;
  ~FrameCache() {
    for (Shelf& shelf : shelves_) {
      while (shelf.top != nullptr) ::operator delete(pop(shelf));
      shelf.count = kNoRoom;  // a frame that is freed even later finds no room
    }
  }

  static constexpr std::size_t class_of(std::size_t size) noexcept { return (size - 1) / kGrain; }

  void* take(std::size_t size) {
    const std::size_t index = class_of(size);
    if (index >= kClasses) return ::operator new(size);
    if (shelves_[index].top != nullptr) return pop(shelves_[index]);
    return ::operator new((index + 1) * kGrain);
  }

  void give(void* frame, std::size_t size) noexcept {
    const std::size_t index = class_of(size);
    if (index >= kClasses || shelves_[index].count >= most_of(index)) {
      ::operator delete(frame);
      return;
    }
    Shelf& shelf = shelves_[index];
    shelf.top = new (frame) Free{shelf.top};
    ++shelf.count;
  }

  void release_unneeded() noexcept {
    for (Shelf& shelf : shelves_) {
      for (std::size_t i = std::exchange(shelf.least, shelf.count); i > 0; --i) ::operator delete(pop(shelf));
      shelf.least = shelf.count;
    }
  }

  std::size_t bytes() const noexcept {
    std::size_t bytes = 0;
    for (std::size_t index = 0; index < kClasses; ++index) bytes += shelves_[index].count * (index + 1) * kGrain;
    return bytes;
  }

 private:
  static constexpr std::size_t kNoRoom = SIZE_MAX;

  struct Free {
    Free* next;
  };
  struct Shelf {
    Free* top = nullptr;
    std::size_t count = 0;
    std::size_t least = 0;  // that there were since they were last given back
  };
  static void* pop(Shelf& shelf) noexcept {
    Free* frame = shelf.top;
    shelf.top = frame->next;
    --shelf.count;
    shelf.least = std::min(shelf.least, shelf.count);
    return frame;
  }
  std::array<Shelf, kClasses> shelves_{};
};

FrameCache& frame_cache() {
  thread_local FrameCache cache;
  return cache;
}

// A coroutine that nobody owns: it starts at once and frees itself at its end.
struct Detached {
  struct promise_type : task_internal::RecycledFrame {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const { invariant_broken("an exception left a spawned task"); }
  };
};

Detached run_detached(Task<void> task) { co_await task; }

}  // namespace

namespace task_internal {

void* allocate_frame(std::size_t size) {
  return FUSEBOARD_NET_PLAIN_FRAMES ? ::operator new(size) : frame_cache().take(size);
}

void free_frame(void* frame, std::size_t size) noexcept {
  if (FUSEBOARD_NET_PLAIN_FRAMES) {
    ::operator delete(frame);
  } else {
    frame_cache().give(frame, size);
  }
}

}  // namespace task_internal

void release_spare_frames() noexcept { frame_cache().release_unneeded(); }

std::size_t spare_frame_bytes() noexcept { return frame_cache().bytes(); }

void spawn(Task<void> task) { run_detached(std::move(task)); }

}  // namespace fuseboard::net
