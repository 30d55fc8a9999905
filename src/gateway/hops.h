// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Which gateways a request has come through, so that one that comes round again is stopped the first time: each try of
// each target would multiply it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/core/rng.h"
#include "gateway/provider_ids.h"
#include "net/http.h"

namespace fuseboard::gateway {

// `x-fuseboard-hops: 9f86d081884c7d65-0, 60303ae22b998861-2`: by whom and to which of its providers, the latest last.
// The first part is drawn when a gateway starts, and tells others no more than that.
inline constexpr std::string_view kHopsHeader = "x-fuseboard-hops";

// Of different gateways in a row.
inline constexpr std::size_t kMaxHops = 8;

std::string new_instance_id(Rng& rng);

// What is wrong with where a request has been.
struct HopLoop {
  std::optional<ProviderId> provider{};  // of ours, which leads back here; nullopt: it has come through too many
};
std::optional<HopLoop> find_loop(const net::Headers& headers, std::string_view instance);

// The header's value for a request on its way to the provider.
std::string hops_after(const net::Headers& callers, std::string_view instance, ProviderId provider);

}  // namespace fuseboard::gateway
