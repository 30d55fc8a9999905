// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One upstream call for concurrent identical requests [CCH-4]: who makes it, and who is told what. No I/O, no waiting.
//
//   auto joined = flights.join(key, {.shared = ..., .lead = ..., .cancel = ...});
//   keep(joined.waiter);                       // for as long as the caller is there
//   if (joined.flight) call_upstream(std::move(*joined.flight));
//   else if (!joined.waiter.waiting()) call_upstream_alone();
//   // leader: std::move(flight).succeed(response) once it is stored, or fail()
//
// A flight belongs to nobody's caller. Its leader's caller may leave like any other, and the call goes on as long as
// one waiter is left; when the last one leaves it is cancelled. When the call fails, the failure belongs to the
// leader's own caller, if it is still there, and the waiter that came first among the others leads the next call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "fuseboard/cache/cache_key.h"
#include "fuseboard/cache/cached_response.h"
#include "fuseboard/core/issuer.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

class SingleFlight;

// The duty to make the call and to say how it ended, once. Destroyed before that it has failed. Not thread-safe by
// itself, may be handed from thread to thread. Its SingleFlight must outlive it.
class [[nodiscard]] Flight {
 public:
  Flight(Flight&&) noexcept = default;
  Flight& operator=(Flight&& other) noexcept { return replace_permit(*this, other); }
  ~Flight() {
    if (owner_) end(nullptr);
  }

  // Gives `response` (not null) to all who wait. Store it first: who comes after this looks there.
  void succeed(const CachedResponsePtr& response) &&;
  // One of the others leads next; with none left the flight is over.
  void fail() && { end(nullptr); }

  // Whether the last waiter has left. succeed() and fail() then do nothing.
  bool cancelled() const;

 private:
  friend class SingleFlight;
  Flight(SingleFlight& owner, const CacheKey& key, std::uint64_t id) noexcept : owner_(owner), key_(key), id_(id) {}
  void end(const CachedResponsePtr& response) noexcept;

  Issuer<SingleFlight> owner_;
  CacheKey key_;
  std::uint64_t id_;  // of the flight; of all its calls, but only one Flight exists at a time
};

// A caller's place in a flight; destroying it leaves. Not thread-safe by itself. Its SingleFlight must outlive it.
class [[nodiscard]] FlightWaiter {
 public:
  // In no flight.
  FlightWaiter() noexcept = default;
  FlightWaiter(FlightWaiter&&) noexcept = default;
  FlightWaiter& operator=(FlightWaiter&& other) noexcept { return replace_permit(*this, other); }
  ~FlightWaiter() { leave(); }

  // The caller is gone. If it was the last one, the call is cancelled before this returns. A notice that was already
  // under way on another thread may still arrive after it. Does nothing the second time, and after the flight's end.
  void leave() noexcept;

  // Whether it is in a flight at all, led by itself or another. Stays true when that flight ends.
  bool waiting() const noexcept { return static_cast<bool>(owner_); }

 private:
  friend class SingleFlight;
  FlightWaiter(SingleFlight& owner, const CacheKey& key, std::uint64_t flight, std::uint64_t id) noexcept
      : owner_(owner), key_(key), flight_(flight), id_(id) {}

  Issuer<SingleFlight> owner_{};
  CacheKey key_{};
  std::uint64_t flight_ = 0;
  std::uint64_t id_ = 0;
};

// What a waiter is told: `shared` or `lead`, at most once, on the thread that ended the call; `cancel` only while it
// leads. They run and are destroyed outside the lock and may call back; what they throw is swallowed and counted. Each
// may be empty. One may come before join() has returned. A waiter that is asked to lead after it left drops the flight,
// and the next one is asked.
struct FlightNotices {
  std::function<void(CachedResponsePtr)> shared{};  // another's call answered; not told to its leader
  std::function<void(Flight)> lead{};               // another's call failed: make the next
  std::function<void()> cancel{};                   // nobody waits any more: stop the call
};

struct SingleFlightOptions {
  std::size_t max_flights = 4096;            // at once; 1 to 1 000 000
  std::size_t max_waiters_per_flight = 256;  // the leader's caller included; 1 to 1000

  Problems validate() const;
};

// Thread-safe throughout. At either bound a request is told to make its call by itself, and counted.
class SingleFlight {
 public:
  // Throws InvalidOptions.
  explicit SingleFlight(const SingleFlightOptions& options = {});
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  // With a flight: the caller leads. Without, and waiting: another does, and `notices` will tell. Without and not
  // waiting: there is no room, the call is nobody else's.
  struct Joined {
    FlightWaiter waiter;
    std::optional<Flight> flight{};
  };
  Joined join(const CacheKey& key, FlightNotices notices);

  struct Snapshot {
    std::size_t flights = 0;           // now
    std::size_t waiters = 0;           // now, leaders' callers included
    std::uint64_t led = 0;             // calls made for a flight, the later tries included
    std::uint64_t shared = 0;          // answers that came from another's call
    std::uint64_t cancelled = 0;       // flights that everybody left
    std::uint64_t alone = 0;           // requests for which there was no room
    std::uint64_t failed_notices = 0;  // that threw
  };
  Snapshot snapshot() const;

 private:
  friend class Flight;
  friend class FlightWaiter;

  struct Entry {
    std::uint64_t id = 0;
    std::uint64_t leader = 0;                       // the waiter whose turn it is
    bool leader_present = true;                     // whether that one is still there
    std::function<void()> cancel;                   // the leader's
    std::map<std::uint64_t, FlightNotices> others;  // by their ids, and so in the order in which they came
  };
  using Entries = std::unordered_map<CacheKey, Entry, CacheKeyHash>;

  void end(const CacheKey& key, std::uint64_t id, const CachedResponsePtr& response) noexcept;
  void leave(const CacheKey& key, std::uint64_t flight, std::uint64_t id) noexcept;
  bool is_current(const CacheKey& key, std::uint64_t id) const;

  // entries_.end() where no flight of that id is left.
  Entries::iterator find_locked(const CacheKey& key, std::uint64_t id) FUSEBOARD_REQUIRES(mutex_);
  template <typename Notice, typename... Arguments>
  void tell(const Notice& notice, Arguments&&... arguments) noexcept;

  const SingleFlightOptions options_;
  mutable Mutex mutex_;
  Entries entries_ FUSEBOARD_GUARDED_BY(mutex_);
  std::uint64_t next_id_ FUSEBOARD_GUARDED_BY(mutex_) = 1;
  std::size_t waiters_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t led_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t shared_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t cancelled_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t alone_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t failed_notices_ FUSEBOARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace fuseboard
