// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/direct_routes.h"

#include <iterator>
#include <optional>
#include <utility>

namespace fuseboard::gateway {

DirectRoutes::DirectRoutes(std::shared_ptr<const Routing> routing, TargetRegistry& targets, UsageAskings& askings,
                           const Clock& clock)
    : targets_(targets), askings_(askings), clock_(clock), routing_(std::move(routing)) {}

void DirectRoutes::adopt(std::shared_ptr<const Routing> routing) {
  const MutexLock lock(mutex_);
  routing_ = std::move(routing);
  for (auto it = direct_.begin(); it != direct_.end();) {
    const auto direct = it++;
    direct->route = nullptr;
    if (routing_->find_provider(direct->name.substr(0, direct->name.find('/'))) == nullptr) forget_locked(direct);
  }
}

std::shared_ptr<const Route> DirectRoutes::find(const std::shared_ptr<const Routing>& routing, std::string_view model) {
  const std::size_t slash = model.find('/');
  if (slash == std::string_view::npos || slash + 1 == model.size() || model.size() > kMaxDirectName) return nullptr;
  const MutexLock lock(mutex_);
  const bool current = routing == routing_;
  const auto indexed = index_.find(model);
  const auto known = indexed != index_.end() ? std::optional(indexed->second) : std::nullopt;
  if (known && current) {
    direct_.splice(direct_.end(), direct_, *known);
    if ((*known)->route != nullptr) return (*known)->route;
  }
  const auto target = routing->target(model.substr(0, slash), model.substr(slash + 1));
  if (!target) return nullptr;
  const KeyView key{std::string_view(target->provider), std::string_view(target->model)};
  const bool configured = routing->targets().contains(to_text(key));
  const bool remember = current && (known || make_room_locked());
  const bool has_own_state = configured || known || remember;
  auto state = has_own_state ? targets_.target(key) : targets_.overflow_target(key);
  // Where the registry has no place for it either, it shares a state, and is not remembered with that.
  const bool is_its_own = state->breaker().key() == key;
  auto asking = has_own_state ? askings_.of(key) : std::make_shared<UsageAsking>();
  auto route = routing->route_to(model, *target, state, std::move(asking));
  if (remember && is_its_own) {
    if (!known) {
      direct_.push_back({.name = route->name, .route = nullptr, .state = nullptr});
      index_.emplace(direct_.back().name, std::prev(direct_.end()));
    }
    // It is the last one now, known or new.
    direct_.back().route = route;
    direct_.back().state = configured ? nullptr : std::move(state);
  }
  return route;
}

bool DirectRoutes::make_room_locked() {
  if (direct_.size() < kMaxDirectRoutes) return true;
  const TimePoint now = clock_.now();
  std::optional<DirectList::iterator> goes;
  for (auto it = direct_.begin(); it != direct_.end(); ++it) {
    const bool proven = it->state == nullptr || it->state->has_served();
    // Routes are given away under this mutex alone, so who does not hold it now never will.
    if ((goes && proven) || it->route.use_count() > 1 || (it->state != nullptr && !it->state->at_rest(now))) continue;
    goes = it;
    if (!proven) break;
  }
  if (!goes) return false;
  forget_locked(*goes);
  return true;
}

void DirectRoutes::forget_locked(DirectList::iterator direct) {
  index_.erase(direct->name);
  direct_.erase(direct);
}

std::size_t DirectRoutes::size() const {
  const MutexLock lock(mutex_);
  return direct_.size();
}

}  // namespace fuseboard::gateway
