// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/hops.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace fuseboard::gateway {
namespace {

// Calls `visit` with each hop that the headers name, in their order.
template <typename Visit>
void for_each_hop(const net::Headers& headers, Visit visit) {
  for (const net::Header header : headers) {
    if (!net::equal_ignoring_case(header.name, kHopsHeader)) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      std::string_view hop = list.substr(0, comma);
      while (hop.starts_with(' ') || hop.starts_with('\t')) hop.remove_prefix(1);
      while (hop.ends_with(' ') || hop.ends_with('\t')) hop.remove_suffix(1);
      if (!hop.empty()) visit(hop);
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
  }
}

}  // namespace

std::string new_instance_id(Rng& rng) { return fmt::format("{:016x}", rng.next()); }

std::optional<HopLoop> find_loop(const net::Headers& headers, std::string_view instance) {
  std::size_t hops = 0;
  std::optional<HopLoop> loop;
  for_each_hop(headers, [&](std::string_view hop) {
    ++hops;
    if (loop || !hop.starts_with(instance) || hop.size() <= instance.size() || hop[instance.size()] != '-') return;
    const std::string_view number = hop.substr(instance.size() + 1);
    std::uint32_t provider = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), provider);
    if (error == std::errc() && end == number.data() + number.size()) loop = HopLoop{.provider = ProviderId{provider}};
  });
  if (!loop && hops >= kMaxHops) loop = HopLoop{};
  return loop;
}

std::string hops_after(const net::Headers& callers, std::string_view instance, ProviderId provider) {
  std::string hops;
  for_each_hop(callers, [&](std::string_view hop) { hops.append(hop).append(", "); });
  return hops + fmt::format("{}-{}", instance, std::to_underlying(provider));
}

}  // namespace fuseboard::gateway
