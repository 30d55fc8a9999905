// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Where answers are kept: one interface for memory and databases.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "fuseboard/cache/cache_key.h"
#include "fuseboard/cache/cached_response.h"
#include "fuseboard/core/time.h"

namespace fuseboard {

// A store that could not do its work. `reason` is for logs.
struct CacheStoreError {
  std::string reason;
};

// What a lookup found.
struct CacheFound {
  CachedResponsePtr response{};  // null: none of the keys is there, or its time is over
  std::size_t index = 0;         // of the key that was found

  friend bool operator==(const CacheFound&, const CacheFound&) noexcept = default;
};
using CacheAnswer = std::expected<CacheFound, CacheStoreError>;

// Who waits for an answer that comes later. Owned by a shared_ptr. Thread-safe: a store tells it from any thread, and
// perhaps when the call that asked is long over.
class CacheReceiver : public std::enable_shared_from_this<CacheReceiver> {
 public:
  virtual ~CacheReceiver() = default;
  // Told once, outside every lock of the store's. Returns at once.
  virtual void receive(CacheAnswer answer) noexcept = 0;
  // Whether anybody still waits.
  virtual bool waits() const noexcept = 0;
};

// The duty to answer later, once. Destroyed before that, it answers with an error. Not thread-safe by itself, may be
// handed from thread to thread; it may outlive the call, the cache and the store.
class [[nodiscard]] CacheReply {
 public:
  // `receiver`, as get() was given it, may be null: nobody waits.
  explicit CacheReply(CacheReceiver* receiver)
      : receiver_(receiver == nullptr ? nullptr : receiver->shared_from_this()) {}
  CacheReply(CacheReply&&) noexcept = default;
  CacheReply& operator=(CacheReply&& other) noexcept {
    if (this != &other) {
      drop();
      receiver_ = std::move(other.receiver_);
    }
    return *this;
  }
  ~CacheReply() { drop(); }

  void answer(CacheAnswer answer) && noexcept {
    if (const auto receiver = std::exchange(receiver_, nullptr)) receiver->receive(std::move(answer));
  }
  // A store that is behind need not look for what nobody waits for any more.
  bool wanted() const noexcept { return receiver_ != nullptr && receiver_->waits(); }

 private:
  void drop() noexcept {
    if (receiver_ != nullptr) std::move(*this).answer(std::unexpected(CacheStoreError{"no answer"}));
  }

  std::shared_ptr<CacheReceiver> receiver_;
};

// Implementations are thread-safe and bounded. None of these functions may wait: they are called on event loops. A slow
// store does its work elsewhere, in a queue with a bound, and fails what finds no room there. What they throw is taken
// for a failure, too.
//
// Answers that come later wake their call's driver, so a store with threads of its own ends them before the loops of
// those drivers go.
class CacheStore {
 public:
  virtual ~CacheStore() = default;

  // The first of `keys` that is stored. nullopt: the answer comes later, by way of a CacheReply made of `receiver`
  // within this call; it may come on another thread before this returns. Where an answer is returned, one that comes
  // later is ignored. `keys` is read within this call alone.
  virtual std::optional<CacheAnswer> get(std::span<const CacheKey> keys, CacheReceiver* receiver) = 0;
  // Keeps `response` (not null) for at most `ttl` in the place of what was there, or takes that on. false: not kept,
  // which is no failure: it is too large, or its time is over already.
  virtual std::expected<bool, CacheStoreError> put(const CacheKey& key, CachedResponsePtr response, Duration ttl) = 0;
  // Whether it was there, or may have been.
  virtual std::expected<bool, CacheStoreError> erase(const CacheKey& key) = 0;
};

}  // namespace fuseboard
