// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <array>

#include "fuseboard/classify/classifier.h"

namespace fuseboard {
namespace {

constexpr std::array<std::string_view, 6> kChannels = {"http", "sse", "transport", "mcp", "process", "message"};
constexpr std::array<std::string_view, 2> kDomains = {"llm", "tool"};
constexpr std::array<std::string_view, 5> kDetails = {"none", "sandbox", "planning", "guardrail", "budget"};

template <typename Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(Channel channel) noexcept { return kChannels[static_cast<std::size_t>(channel)]; }
std::optional<Channel> channel_from_name(std::string_view name) noexcept { return find<Channel>(kChannels, name); }
std::string_view name(Domain domain) noexcept { return kDomains[static_cast<std::size_t>(domain)]; }
std::optional<Domain> domain_from_name(std::string_view name) noexcept { return find<Domain>(kDomains, name); }
std::string_view name(PolicyDetail detail) noexcept { return kDetails[static_cast<std::size_t>(detail)]; }

}  // namespace fuseboard
