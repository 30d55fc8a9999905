// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Values by name that live as long as their map, such as the series of a metric.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/core/mutex.h"

namespace fuseboard {

// Names are added now and then, and never removed; finding one takes no lock. Thread-safe.
template <typename Value>
class AppendOnlyMap {
 public:
  using Map = std::map<std::string, std::shared_ptr<Value>, std::less<>>;

  AppendOnlyMap() {
    const MutexLock lock(mutex_);
    publish_locked({});
  }

  // A value for each of the names that has none. Each call that adds one costs a copy of the map that is kept, as
  // somebody may be reading it.
  void add(const std::set<std::string, std::less<>>& names) {
    const MutexLock lock(mutex_);
    Map next = all();
    for (const std::string& name : names) {
      const auto [place, is_new] = next.try_emplace(name);
      if (is_new) place->second = std::make_shared<Value>();
    }
    if (next.size() > all().size()) publish_locked(std::move(next));
  }

  // nullptr where there is none.
  Value* find(std::string_view name) const noexcept {
    const Map& map = all();
    const auto found = map.find(name);
    return found != map.end() ? found->second.get() : nullptr;
  }

  // As they are now, for as long as this lives; what is added later is not among them.
  const Map& all() const noexcept { return *published_.load(std::memory_order_acquire); }

 private:
  void publish_locked(Map next) FUSEBOARD_REQUIRES(mutex_) {
    maps_.push_back(std::make_unique<const Map>(std::move(next)));
    published_.store(maps_.back().get(), std::memory_order_release);
  }

  Mutex mutex_;
  std::vector<std::unique_ptr<const Map>> maps_ FUSEBOARD_GUARDED_BY(mutex_);  // the latest last
  std::atomic<const Map*> published_{nullptr};
};

}  // namespace fuseboard
