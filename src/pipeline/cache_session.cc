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

// What answers and notices write. Outlives the session: one may be under way while it goes.
class CacheSession::Shared final : public CacheReceiver {
 public:
  CacheState state() const {
    const MutexLock lock(mutex_);
    return state_;
  }
  CachedResponsePtr response() const {
    const MutexLock lock(mutex_);
    return response_;
  }
  std::optional<std::uint32_t> target() const {
    const MutexLock lock(mutex_);
    return target_;
  }
  void set(CacheState to, CachedResponsePtr answer, std::optional<std::uint32_t> of) {
    const MutexLock lock(mutex_);
    state_ = to;
    response_ = std::move(answer);
    target_ = of;
  }

  // The store answers later; it may have done so already.
  void await_store(std::shared_ptr<Waker> waker) {
    const MutexLock lock(mutex_);
    waker_ = std::move(waker);
    state_ = from_store_ ? CacheState::answered : CacheState::asking;
  }
  void receive(CacheAnswer answer) noexcept override {
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex_);
      if (!waits_locked()) return;
      from_store_ = std::move(answer);
      if (state_ == CacheState::unasked) return;  // get() has not returned yet
      state_ = CacheState::answered;
      woken = waker_;
    }
    if (woken != nullptr) woken->wake();
  }
  bool waits() const noexcept override {
    const MutexLock lock(mutex_);
    return waits_locked();
  }
  // nullopt: it has not come, and will not be heard any more.
  std::optional<CacheAnswer> take_store_answer() {
    const MutexLock lock(mutex_);
    state_ = CacheState::answered;
    return std::exchange(from_store_, std::nullopt);
  }

  void await_flight(std::shared_ptr<Waker> waker) {
    const MutexLock lock(mutex_);
    waker_ = std::move(waker);
    state_ = CacheState::waiting;
  }
  void share(CachedResponsePtr answer) {
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex_);
      state_ = CacheState::shared;
      response_ = std::move(answer);
      woken = waker_;
    }
    if (woken != nullptr) woken->wake();
  }
  // A flight that nobody takes is dropped after the lock is: dropping it asks the next one.
  void lead(Flight turn) {
    std::optional<Flight> dropped(std::move(turn));
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex_);
      if (ended_) return;
      flight_ = std::exchange(dropped, std::nullopt);
      state_ = CacheState::missed;
      woken = waker_;
    }
    if (woken != nullptr) woken->wake();
  }
  void wake() {
    std::shared_ptr<Waker> woken;
    {
      const MutexLock lock(mutex_);
      woken = waker_;
    }
    if (woken != nullptr) woken->wake();
  }
  // Nothing that comes after this is used.
  std::optional<Flight> end() {
    std::shared_ptr<Waker> dropped;  // by the thread that it is for
    const MutexLock lock(mutex_);
    ended_ = true;
    dropped = std::exchange(waker_, nullptr);
    return std::exchange(flight_, std::nullopt);
  }
  bool has_waiters() const {
    const MutexLock lock(mutex_);
    return flight_ && !flight_->cancelled();
  }

 private:
  bool waits_locked() const FUSEBOARD_REQUIRES(mutex_) {
    return !ended_ && !from_store_ && (state_ == CacheState::unasked || state_ == CacheState::asking);
  }

  mutable Mutex mutex_;
  CacheState state_ FUSEBOARD_GUARDED_BY(mutex_) = CacheState::unasked;
  std::optional<CacheAnswer> from_store_ FUSEBOARD_GUARDED_BY(mutex_);  // that came later
  CachedResponsePtr response_ FUSEBOARD_GUARDED_BY(mutex_);
  std::optional<std::uint32_t> target_ FUSEBOARD_GUARDED_BY(mutex_);
  std::optional<Flight> flight_ FUSEBOARD_GUARDED_BY(mutex_);
  bool ended_ FUSEBOARD_GUARDED_BY(mutex_) = false;
  std::shared_ptr<Waker> waker_ FUSEBOARD_GUARDED_BY(mutex_);
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
  if (std::exchange(awaits_store_, false)) {
    std::optional<CacheAnswer> answer = shared_->take_store_answer();
    if (!answer) cache_.give_up();
    settle_lookup(answer ? cache_.conclude(*std::move(answer)) : std::nullopt, std::move(waker));
    return;
  }
  ResponseCache::Lookup found;
  if (decision_.lookup) found = cache_.ask(keys_, shared_.get());
  if (found.later) {
    awaits_store_ = true;
    shared_->await_store(std::move(waker));
  } else {
    settle_lookup(found.hit, std::move(waker));
  }
}

void CacheSession::settle_lookup(const std::optional<ResponseCache::Hit>& hit, std::shared_ptr<Waker> waker) {
  // A store that names a key that it was not asked for has found nothing.
  if (hit && hit->index < keys_.size()) {
    shared_->set(CacheState::hit, hit->response, static_cast<std::uint32_t>(hit->index));
    return;
  }
  if (!decision_.share || flights_ == nullptr) {
    shared_->set(CacheState::missed, nullptr, std::nullopt);
    return;
  }
  shared_->await_flight(std::move(waker));
  auto joined = flights_->join(
      flight_key(keys_), {.shared = [shared = shared_](CachedResponsePtr answer) { shared->share(std::move(answer)); },
                          .lead = [shared = shared_](Flight turn) { shared->lead(std::move(turn)); },
                          .cancel = [shared = shared_] { shared->wake(); }});
  waiter_ = std::move(joined.waiter);
  if (joined.flight) {
    shared_->lead(*std::move(joined.flight));
  } else if (!waiter_.waiting()) {
    shared_->set(CacheState::missed, nullptr, std::nullopt);
  }
}

CacheState CacheSession::state() const { return shared_->state(); }

CachedResponsePtr CacheSession::response() const { return shared_->response(); }

std::optional<std::uint32_t> CacheSession::target() const { return shared_->target(); }

void CacheSession::complete(std::uint32_t target, const CachedResponsePtr& response, const CacheableAnswer& answer) {
  if (cacheable(decision_, answer) && target < keys_.size()) cache_.store(keys_[target], response, ttl_);
  if (auto flight = shared_->end()) std::move(*flight).succeed(response);
}

void CacheSession::fail() {
  // The call ends while the store is still asked: a miss like any other.
  if (std::exchange(awaits_store_, false)) cache_.give_up();
  if (auto flight = shared_->end()) std::move(*flight).fail();
  waiter_.leave();
}

bool CacheSession::leave() {
  waiter_.leave();
  return deserted();
}

bool CacheSession::deserted() const { return !shared_->has_waiters(); }

}  // namespace fuseboard
