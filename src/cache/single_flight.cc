// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/cache/single_flight.h"

#include <algorithm>

#include "fuseboard/core/check.h"

namespace fuseboard {

Problems SingleFlightOptions::validate() const {
  Validator validator;
  validator.in_range<std::size_t>("max_flights", max_flights, 1, 1'000'000);
  // A waiter that drops what it is asked to lead has the next one asked from inside its notice: a chain of as many
  // calls.
  validator.in_range<std::size_t>("max_waiters_per_flight", max_waiters_per_flight, 1, 1000);
  return std::move(validator).take();
}

// Tickets.

void Flight::succeed(const CachedResponsePtr& response) && {
  check_invariant(response != nullptr, "a flight succeeds with an answer");
  end(response);
}

void Flight::end(const CachedResponsePtr& response) noexcept {
  if (SingleFlight* const owner = owner_.take()) owner->end(key_, id_, response);
}

bool Flight::cancelled() const { return !owner_ || !owner_->is_current(key_, id_); }

void FlightWaiter::leave() noexcept {
  if (SingleFlight* const owner = owner_.take()) owner->leave(key_, flight_, id_);
}

// The flights.

SingleFlight::SingleFlight(const SingleFlightOptions& options) : options_(checked(options)) {}

SingleFlight::Joined SingleFlight::join(const CacheKey& key, FlightNotices notices) {
  const MutexLock lock(mutex_);
  auto place = entries_.find(key);
  if (place == entries_.end()) {
    if (entries_.size() >= options_.max_flights) {
      ++alone_;
      return {};
    }
    place = entries_.try_emplace(key).first;
    Entry& entry = place->second;
    entry.id = next_id_++;
    entry.leader = next_id_++;
    entry.cancel = std::move(notices.cancel);
    ++led_;
    ++waiters_;
    return {.waiter = FlightWaiter(*this, key, entry.id, entry.leader), .flight = Flight(*this, key, entry.id)};
  }
  Entry& entry = place->second;
  if (entry.others.size() + (entry.leader_present ? 1 : 0) >= options_.max_waiters_per_flight) {
    ++alone_;
    return {};
  }
  const std::uint64_t id = next_id_++;
  entry.others.emplace(id, std::move(notices));
  ++waiters_;
  return {.waiter = FlightWaiter(*this, key, entry.id, id)};
}

void SingleFlight::end(const CacheKey& key, std::uint64_t id, const CachedResponsePtr& response) noexcept {
  std::map<std::uint64_t, FlightNotices> told;  // everyone, or the next leader
  std::optional<Flight> next;
  // Freed after the lock like all notices: what they hold may call back when it goes.
  std::function<void()> old_cancel;
  {
    const MutexLock lock(mutex_);
    const auto place = find_locked(key, id);
    if (place == entries_.end()) return;
    Entry& entry = place->second;
    if (entry.leader_present) --waiters_;
    old_cancel = std::move(entry.cancel);
    if (response != nullptr || entry.others.empty()) {
      told = std::move(entry.others);
      waiters_ -= told.size();
      shared_ += told.size();
      entries_.erase(place);
    } else {
      auto first = entry.others.extract(entry.others.begin());
      entry.leader = first.key();
      entry.leader_present = true;
      entry.cancel = std::move(first.mapped().cancel);
      next = Flight(*this, key, id);
      ++led_;
      told.insert(std::move(first));
    }
  }
  for (auto& [waiter, notices] : told) {
    if (next) {
      tell(notices.lead, std::move(*next));
    } else {
      tell(notices.shared, response);
    }
  }
}

void SingleFlight::leave(const CacheKey& key, std::uint64_t flight, std::uint64_t id) noexcept {
  std::function<void()> cancel;
  FlightNotices unheard;  // freed after the lock, see end()
  {
    const MutexLock lock(mutex_);
    const auto place = find_locked(key, flight);
    if (place == entries_.end()) return;
    Entry& entry = place->second;
    if (id == entry.leader && entry.leader_present) {
      entry.leader_present = false;
    } else if (const auto other = entry.others.find(id); other != entry.others.end()) {
      unheard = std::move(other->second);
      entry.others.erase(other);
    } else {
      return;  // its call failed, and the flight went on without it
    }
    --waiters_;
    if (entry.leader_present || !entry.others.empty()) return;
    cancel = std::move(entry.cancel);
    ++cancelled_;
    entries_.erase(place);
  }
  tell(cancel);
}

bool SingleFlight::is_current(const CacheKey& key, std::uint64_t id) const {
  const MutexLock lock(mutex_);
  const auto place = entries_.find(key);
  return place != entries_.end() && place->second.id == id;
}

SingleFlight::Entries::iterator SingleFlight::find_locked(const CacheKey& key, std::uint64_t id) {
  const auto place = entries_.find(key);
  return place != entries_.end() && place->second.id == id ? place : entries_.end();
}

template <typename Notice, typename... Arguments>
void SingleFlight::tell(const Notice& notice, Arguments&&... arguments) noexcept {
  if (!notice) return;
  try {
    notice(std::forward<Arguments>(arguments)...);
  } catch (...) {
    const MutexLock lock(mutex_);
    ++failed_notices_;
  }
}

SingleFlight::Snapshot SingleFlight::snapshot() const {
  const MutexLock lock(mutex_);
  return {.flights = entries_.size(),
          .waiters = waiters_,
          .led = led_,
          .shared = shared_,
          .cancelled = cancelled_,
          .alone = alone_,
          .failed_notices = failed_notices_};
}

}  // namespace fuseboard
