// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A mutex that clang's thread-safety analysis understands, and the annotations that go with it.
//
// The macros are empty for other compilers. A member is GUARDED_BY the mutex that protects it; a function that needs
// the mutex held ends in _locked and says FUSEBOARD_REQUIRES.
#pragma once

#include "fuseboard/core/atomic.h"

#if defined(__clang__)
#define FUSEBOARD_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define FUSEBOARD_THREAD_ANNOTATION(x)
#endif

#define FUSEBOARD_CAPABILITY(name) FUSEBOARD_THREAD_ANNOTATION(capability(name))
#define FUSEBOARD_SCOPED_CAPABILITY FUSEBOARD_THREAD_ANNOTATION(scoped_lockable)
#define FUSEBOARD_GUARDED_BY(mutex) FUSEBOARD_THREAD_ANNOTATION(guarded_by(mutex))
#define FUSEBOARD_PT_GUARDED_BY(mutex) FUSEBOARD_THREAD_ANNOTATION(pt_guarded_by(mutex))
#define FUSEBOARD_REQUIRES(...) FUSEBOARD_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define FUSEBOARD_EXCLUDES(...) FUSEBOARD_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define FUSEBOARD_ACQUIRE(...) FUSEBOARD_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define FUSEBOARD_RELEASE(...) FUSEBOARD_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define FUSEBOARD_TRY_ACQUIRE(...) FUSEBOARD_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define FUSEBOARD_NO_THREAD_SAFETY_ANALYSIS FUSEBOARD_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace fuseboard {

class FUSEBOARD_CAPABILITY("mutex") Mutex {
 public:
  void lock() FUSEBOARD_ACQUIRE() { mutex_.lock(); }
  void unlock() FUSEBOARD_RELEASE() { mutex_.unlock(); }
  bool try_lock() FUSEBOARD_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  PlainMutex mutex_;
};

class FUSEBOARD_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FUSEBOARD_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() FUSEBOARD_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace fuseboard
