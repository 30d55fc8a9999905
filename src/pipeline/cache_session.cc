// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/pipeline/cache_session.h"

#include <array>
#include <cstring>
#include <utility>

#include "fuseboard/core/check.h"

namespace fuseboard {

namespace {

// Calls are identical where all their targets' keys are, in the same order: whoever shares an answer must be able to
// get it from every target that may give it. The keys are hashes, so a sum in which each has its own weight will do.
CacheKey flight_key(const std::vector<CacheKey>& keys) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  std::array<std::uint64_t, sizeof(CacheKey::bytes) / sizeof(std::uint64_t)> sum{};
  for (const CacheKey& key : keys) {
    std::array<std::uint64_t, sum.size()> words;
    std::memcpy(words.data(), key.bytes.data(), sizeof words);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = sum[i] * kOdd + words[i];
  }
  CacheKey key;
  std::memcpy(key.bytes.data(), sum.data(), sizeof sum);
  return key;
}

}  // namespace

// What notices write. Outlives the session: one may be under way while it goes.
struct CacheSession::Shared {
  Mutex mutex;
  CacheState state FUSEBOARD_GUARDED_BY(mutex) = CacheState::unasked;
  CachedResponsePtr response FUSEBOARD_GUARDED_BY(mutex);
  std::optional<std::uint32_t> target FUSEBOARD_GUARDED_BY(mutex);
  std::optional<Flight> flight FUSEBOARD_GUARDED_BY(mutex);
  bool ended FUSEBOARD_GUARDED_BY(mutex) = false;  // nobody would use a flight
  std::shared_ptr<Waker> waker FUSEBOARD_GUARDED_BY(mutex);

  void set(CacheState to, CachedResponsePtr answer, std::optional<std::uint32_t> of) {
    const MutexLock lock(mutex);
    state = to;
    response = std::move(answer);
    target = of;
  }
  void answered(CachedResponsePtr answer) {
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex);
      state = CacheState::shared;
      response = std::move(answer);
      woken = waker;
    }
    if (woken != nullptr) woken->wake();
  }
  // A flight that nobody takes is dropped after the lock is: dropping it asks the next one.
  void lead(Flight turn) {
    std::optional<Flight> dropped(std::move(turn));
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex);
      if (ended) return;
      flight = std::exchange(dropped, std::nullopt);
      state = CacheState::missed;
      woken = waker;
    }
    if (woken != nullptr) woken->wake();
  }
  void wake() {
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex);
      woken = waker;
    }
    if (woken != nullptr) woken->wake();
  }
  std::optional<Flight> take_flight() {
    const MutexLock lock(mutex);
    ended = true;
    return std::exchange(flight, std::nullopt);
  }
};

CacheSession::CacheSession(ResponseCache& cache, SingleFlight* flights, std::vector<CacheKey> keys,
                           const CacheDecision& decision, Duration ttl)
    : cache_(cache),
      flights_(flights),
      keys_(std::move(keys)),
      decision_(decision),
      ttl_(ttl),
      shared_(std::make_shared<Shared>()) {
  check_invariant(!keys_.empty(), "a cached call has a key for each target");
}

CacheSession::~CacheSession() { fail(); }

void CacheSession::look_up(std::shared_ptr<Waker> waker) {
  if (decision_.lookup) {
    if (const auto hit = cache_.lookup(keys_)) {
      shared_->set(CacheState::hit, hit->response, static_cast<std::uint32_t>(hit->index));
      return;
    }
  }
  if (!decision_.share || flights_ == nullptr) {
    shared_->set(CacheState::missed, nullptr, std::nullopt);
    return;
  }
  {
    const MutexLock lock(shared_->mutex);
    shared_->waker = std::move(waker);
    shared_->state = CacheState::waiting;
  }
  auto joined =
      flights_->join(flight_key(keys_),
                     {.shared = [shared = shared_](CachedResponsePtr answer) { shared->answered(std::move(answer)); },
                      .lead = [shared = shared_](Flight turn) { shared->lead(std::move(turn)); },
                      .cancel = [shared = shared_] { shared->wake(); }});
  waiter_ = std::move(joined.waiter);
  if (joined.flight) {
    shared_->lead(*std::move(joined.flight));
  } else if (!waiter_.waiting()) {
    shared_->set(CacheState::missed, nullptr, std::nullopt);
  }
}

CacheState CacheSession::state() const {
  const MutexLock lock(shared_->mutex);
  return shared_->state;
}

CachedResponsePtr CacheSession::response() const {
  const MutexLock lock(shared_->mutex);
  return shared_->response;
}

std::optional<std::uint32_t> CacheSession::target() const {
  const MutexLock lock(shared_->mutex);
  return shared_->target;
}

void CacheSession::complete(std::uint32_t target, const CachedResponsePtr& response, const CacheableAnswer& answer) {
  if (cacheable(decision_, answer) && target < keys_.size()) cache_.store(keys_[target], response, ttl_);
  if (auto flight = shared_->take_flight()) std::move(*flight).succeed(response);
}

void CacheSession::fail() {
  if (auto flight = shared_->take_flight()) std::move(*flight).fail();
  waiter_.leave();
}

bool CacheSession::leave() {
  waiter_.leave();
  return deserted();
}

bool CacheSession::deserted() const {
  const MutexLock lock(shared_->mutex);
  return !shared_->flight || shared_->flight->cancelled();
}

}  // namespace fuseboard
