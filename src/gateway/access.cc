// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/access.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/header_names.h"
#include "fuseboard/core/escape.h"
#include "gateway/bearer_token.h"

namespace fuseboard::gateway {
namespace {

using llm::GatewayError;

constexpr std::size_t kMaxShown = 100;  // of what a caller wrote

// Without a port and without an IPv6 host's brackets.
std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? authority : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

// 127.0.0.0/8 as an address. "127.evil.example" only begins like one: it is a name, and whoever owns it decides where
// it leads.
bool is_loopback_address(std::string_view host) {
  in_addr address{};
  return host == "127.0.0.1" || host == "::1" ||
         (host.starts_with("127.") && inet_pton(AF_INET, std::string(host).c_str(), &address) == 1);
}

bool is_known_host(std::string_view host, const AccessRules& rules) {
  return is_loopback_address(host) || net::equal_ignoring_case(host, "localhost") ||
         std::ranges::any_of(rules.allowed_hosts,
                             [&](const std::string& allowed) { return net::equal_ignoring_case(host, allowed); });
}

bool is_known_origin(std::string_view origin, const AccessRules& rules) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return is_known_host(host_of(origin.substr(scheme.size())), rules);
  }
  return false;
}

std::string shown(std::string_view text) { return escape_unprintable(text.substr(0, kMaxShown)); }

// What proxies add to say for whom they ask. Their names differ (Forwarded, X-Original-Forwarded-For, X-Real-IP,
// True-Client-IP, Fastly-Client-IP, X-Azure-ClientIP, CF-Connecting-IP, X-Envoy-External-Address, …) but not much.
bool tells_of_a_proxy(std::string_view name) {
  constexpr std::array<std::string_view, 7> kParts = {"forwarded", "client-ip",   "clientip",        "connecting-ip",
                                                      "real-ip",   "client-addr", "external-address"};
  if (net::equal_ignoring_case(name, "via")) return true;
  const std::string lower = config::lowercase(name);
  return std::ranges::any_of(kParts, [&](std::string_view part) { return lower.contains(part); });
}

// In a time that tells nothing of where they differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

std::ptrdiff_t count_named(const net::Headers& headers, std::string_view name) {
  return std::ranges::count_if(
      headers, [name](const net::Header& header) { return net::equal_ignoring_case(header.name, name); });
}

bool brings_token(const net::Headers& headers, std::string_view token) {
  // Of two, somebody in front of this may have checked the other one.
  return count_named(headers, "authorization") == 1 && same_secret(bearer_token(headers.get("authorization")), token);
}

}  // namespace

std::optional<AccessProblem> host_problem(const net::Headers& headers, const AccessRules& rules) {
  const std::string_view host = headers.get("host");
  if (!is_known_host(host_of(host), rules)) {
    return AccessProblem{.message = fmt::format("Host '{}' is not allowed; allowed are loopback names and those under "
                                                "allowed_hosts in the configuration",
                                                shown(host))};
  }
  for (const net::Header header : headers) {
    if (!net::equal_ignoring_case(header.name, "origin") || is_known_origin(header.value, rules)) continue;
    return AccessProblem{.message =
                             fmt::format("Origin '{}' is not allowed; allowed are loopback names and those under "
                                         "allowed_hosts in the configuration",
                                         shown(header.value))};
  }
  return std::nullopt;
}

std::optional<AccessProblem> caller_problem(const net::Headers& headers, const AccessRules& rules) {
  // Whoever else reads the request may go by the other one.
  if (count_named(headers, "origin") > 1) {
    return AccessProblem{.error = GatewayError::invalid_request, .message = "two Origin headers"};
  }
  return rules.allow_anonymous ? std::nullopt : host_problem(headers, rules);
}

std::optional<AccessProblem> admin_problem(std::string_view peer_address, const net::Headers& headers,
                                           const AccessRules& rules) {
  const auto refused = [](std::string_view message) {
    return AccessProblem{.error = GatewayError::unauthorized, .message = std::string(message)};
  };
  if (!rules.admin_token.empty()) {
    if (brings_token(headers, rules.admin_token)) return std::nullopt;
    return refused("the admin API wants its token: authorization: Bearer TOKEN, as under admin in the configuration");
  }
  const bool from_loopback =
      peer_address.starts_with("127.") || peer_address == "::1" || peer_address.starts_with("::ffff:127.");
  if (!from_loopback) return refused("the admin API answers on loopback only; with a token under admin it answers all");
  for (const net::Header header : headers) {
    if (tells_of_a_proxy(header.name)) {
      return refused(
          fmt::format("a proxy sent this ('{}'), so it may come from anywhere; set a token under admin in the "
                      "configuration and send it",
                      shown(header.name)));
    }
  }
  return host_problem(headers, rules);
}

}  // namespace fuseboard::gateway
