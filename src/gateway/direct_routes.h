// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Routes to "provider/model", which callers write without a model in the configuration.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "fuseboard/core/clock.h"
#include "fuseboard/core/mutex.h"
#include "fuseboard/pipeline/target_registry.h"
#include "gateway/route.h"
#include "gateway/routing.h"
#include "gateway/usage_asking.h"

namespace fuseboard::gateway {

// Thread-safe.
class DirectRoutes {
 public:
  // References must outlive it.
  DirectRoutes(std::shared_ptr<const Routing> routing, TargetRegistry& targets, UsageAskings& askings,
               const Clock& clock);

  // The routes from here on are those of this routing, over the states that its providers' targets have. A call that
  // began with the one before is served, and its routes are not remembered.
  void adopt(std::shared_ptr<const Routing> routing);

  // nullptr where the routing has no such provider, and for names that are too long.
  std::shared_ptr<const Route> find(const std::shared_ptr<const Routing>& routing, std::string_view model);

  // Routes that are remembered. At the bound one goes that no call uses and whose target limits nobody at the moment:
  // the one that was asked for longest ago of those that never answered, else of all. Where there is none, the new one
  // is built for its call alone, over a state that all such models of its provider share: so their limits hold,
  // together.
  static constexpr std::size_t kMaxDirectRoutes = 1000;
  std::size_t size() const;
  // Of a name that a caller writes, in bytes: it lives on as a breaker's key and in answers' headers.
  static constexpr std::size_t kMaxDirectName = 256;

 private:
  struct Direct {
    std::string name;
    std::shared_ptr<const Route> route;  // null: that of a routing before, to be made again
    std::shared_ptr<TargetState> state;  // null: that of a configured target, which stays
  };
  using DirectList = std::list<Direct>;  // the one asked for longest ago first

  // Whether there is a place for another.
  bool make_room_locked() FUSEBOARD_REQUIRES(mutex_);
  void forget_locked(DirectList::iterator direct) FUSEBOARD_REQUIRES(mutex_);

  TargetRegistry& targets_;
  UsageAskings& askings_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::shared_ptr<const Routing> routing_ FUSEBOARD_GUARDED_BY(mutex_);
  DirectList direct_ FUSEBOARD_GUARDED_BY(mutex_);
  std::map<std::string_view, DirectList::iterator> index_ FUSEBOARD_GUARDED_BY(mutex_);  // by their names
};

}  // namespace fuseboard::gateway
