// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A store of a cache that answers when it is told to.
#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "fuseboard/cache/cache_store.h"

namespace fuseboard {

// Thread-safe.
class LateStore final : public CacheStore {
 public:
  std::optional<CacheAnswer> get(std::span<const CacheKey>, CacheReceiver* receiver) override {
    const std::lock_guard lock(mutex_);
    replies_.emplace_back(receiver);
    return std::nullopt;
  }
  std::expected<bool, CacheStoreError> put(const CacheKey&, CachedResponsePtr response, Duration) override {
    const std::lock_guard lock(mutex_);
    kept_.push_back(std::move(response));
    return true;
  }
  std::expected<bool, CacheStoreError> erase(const CacheKey&) override { return false; }

  // Those who ask and have no answer yet, the first of them first.
  std::size_t asked() {
    const std::lock_guard lock(mutex_);
    return replies_.size();
  }
  CacheReply take() {
    const std::lock_guard lock(mutex_);
    CacheReply reply = std::move(replies_.front());
    replies_.pop_front();
    return reply;
  }
  std::size_t kept() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

 private:
  std::mutex mutex_;
  std::deque<CacheReply> replies_;
  std::vector<CachedResponsePtr> kept_;
};

}  // namespace fuseboard
