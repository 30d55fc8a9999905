// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Numbers for providers that hold whatever becomes of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/mutex.h"

namespace fuseboard::gateway {

enum class ProviderId : std::uint32_t {};

// An id belongs to a name and to no other, for as long as the gateway runs: what remembers a provider by it is right
// after providers are moved, added, removed and brought back. As many as configurations have named. Thread-safe.
class ProviderIds {
 public:
  // From 0 on, in the order in which names are first asked for.
  ProviderId id_of(std::string_view name);
  // nullopt for a number that is no id yet.
  std::optional<std::string> name_of(ProviderId id) const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> names_ FUSEBOARD_GUARDED_BY(mutex_);  // by id
};

}  // namespace fuseboard::gateway
