// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "config/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

namespace fuseboard::config {
namespace {

constexpr std::string_view kListenForm =
    "ADDRESS:PORT with a numeric address or localhost, such as 127.0.0.1:8787 or [::1]:8787";

struct Authority {
  std::string_view host;  // without brackets
  std::string_view port;  // empty where there is none
  bool bracketed = false;
};

std::optional<Authority> split_authority(std::string_view text) {
  Authority parts;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parts.bracketed = true;
    parts.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    parts.host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  if (rest.empty()) return parts;
  if (!rest.starts_with(':') || rest.size() == 1) return std::nullopt;
  parts.port = rest.substr(1);
  return parts;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_address(int family, const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, text.c_str(), bytes.data()) == 1;
}

bool is_host_name(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !text.empty() && text.size() <= 253 && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool is_path(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '\\'; });
}

std::string host_text(const std::string& host) { return host.contains(':') ? "[" + host + "]" : host; }

constexpr std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

}  // namespace

bool ListenAddress::is_loopback() const noexcept {
  return host == "::1" || host == "localhost" || host.starts_with("127.");
}

std::string ListenAddress::to_text() const { return fmt::format("{}:{}", host_text(host), port); }

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto parts = split_authority(text);
  if (!parts || parts->port.empty()) return std::unexpected(std::string(kListenForm));
  const auto port = parse_port(parts->port);
  const std::string host(parts->host);
  const bool is_host =
      (host == "localhost" && !parts->bracketed) || is_address(parts->bracketed ? AF_INET6 : AF_INET, host);
  if (!port || !is_host) return std::unexpected(std::string(kListenForm));
  return ListenAddress{host, *port};
}

std::optional<std::string> parse_host(std::string_view text) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  std::string host(bracketed ? text.substr(1, text.size() - 2) : text);
  if (is_address(AF_INET6, host) || (!bracketed && is_host_name(host))) return host;
  return std::nullopt;
}

std::string BaseUrl::to_text() const {
  const std::string shown_port = port == default_port(tls) ? "" : fmt::format(":{}", port);
  return fmt::format("{}://{}{}{}", tls ? "https" : "http", host_text(host), shown_port, path);
}

std::optional<BaseUrl> parse_base_url(std::string_view text) {
  BaseUrl url;
  if (text.starts_with("https://")) {
    url.tls = true;
  } else if (text.starts_with("http://")) {
    url.tls = false;
  } else {
    return std::nullopt;
  }
  text.remove_prefix(url.tls ? 8 : 7);
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto parts = split_authority(text.substr(0, slash));
  if (!parts) return std::nullopt;
  url.host = parts->host;
  const bool host_is_fine = parts->bracketed ? is_address(AF_INET6, url.host) : is_host_name(url.host);
  const auto port = parts->port.empty() ? default_port(url.tls) : parse_port(parts->port).value_or(0);
  std::string_view path = text.substr(slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!host_is_fine || port == 0 || !is_path(path)) return std::nullopt;
  url.port = port;
  url.path = path;
  return url;
}

}  // namespace fuseboard::config
