// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/response_memory.h"

namespace fuseboard::sim {

void ResponseMemory::remember(const std::string& id, const Conversation& conversation) {
  if (!known_.insert_or_assign(id, conversation).second) return;
  order_.push_back(id);
  if (order_.size() <= kMaxResponses) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<Conversation> ResponseMemory::find(std::string_view id) const {
  const auto it = known_.find(id);
  return it == known_.end() ? std::nullopt : std::optional(it->second);
}

void ResponseMemory::clear() {
  known_.clear();
  order_.clear();
}

}  // namespace fuseboard::sim
