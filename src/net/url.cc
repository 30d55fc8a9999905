// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <charconv>

#include "net/http.h"

namespace fuseboard::net {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_alnum(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Names of letters, digits, '-', '.', '_': everything else (userinfo, spaces, control characters) is refused.
bool is_host_name(std::string_view host) noexcept {
  for (const char c : host) {
    if (!is_alnum(c) && c != '-' && c != '.' && c != '_') return false;
  }
  return !host.empty() && host.size() <= 255;
}

bool is_bracketed_address(std::string_view host) noexcept {
  for (const char c : host) {
    if (hex_digit(c) < 0 && c != ':' && c != '.') return false;
  }
  return host.contains(':') && host.size() <= 45;
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    return std::unexpected("the port must be a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

std::expected<Origin, std::string> parse_authority(bool tls, std::string_view authority) {
  Origin origin{.tls = tls, .port = static_cast<std::uint16_t>(tls ? 443 : 80)};
  if (authority.contains('@')) return std::unexpected("a URL must not carry a user name or password");
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == authority.npos || !is_bracketed_address(authority.substr(1, close - 1))) {
      return std::unexpected("the address in brackets is not an IPv6 address");
    }
    origin.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    if (!is_host_name(authority.substr(0, colon))) return std::unexpected("the host is missing or not a valid name");
    origin.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  for (char& c : origin.host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  if (port.empty()) return origin;
  if (!port.starts_with(':')) return std::unexpected("only a port may follow the address");
  const auto number = parse_port(port.substr(1));
  if (!number) return std::unexpected(number.error());
  origin.port = *number;
  return origin;
}

}  // namespace

Target split_target(std::string_view target) noexcept {
  // Absolute form, which proxies receive (RFC 9112 3.2.2): the path begins after the authority.
  const std::size_t scheme = target.starts_with('/') ? target.npos : target.find("://");
  if (scheme != target.npos) {
    const std::size_t path = target.find_first_of("/?", scheme + 3);
    if (path == target.npos) return {.path = "/", .query = {}};
    target.remove_prefix(path);
  }
  target = target.substr(0, target.find('#'));
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  return {.path = path.empty() ? std::string_view("/") : path,
          .query = target.substr(std::min(question + 1, target.size()))};
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded.append({'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]});
  }
  return encoded;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t ampersand = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(std::min(ampersand + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals)) != name) continue;
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    for (char& c : value) {
      if (c == '+') c = ' ';
    }
    return percent_decode(value);
  }
  return std::nullopt;
}

void append_authority(std::string& out, const Origin& origin) {
  const bool address = origin.host.contains(':');
  if (address) out += '[';
  out += origin.host;
  if (address) out += ']';
  if (origin.port == (origin.tls ? 443 : 80)) return;
  std::array<char, 6> port{':'};
  out.append(port.data(), std::to_chars(port.data() + 1, port.data() + port.size(), origin.port).ptr);
}

std::string to_text(const Origin& origin) {
  std::string text = origin.tls ? "https://" : "http://";
  append_authority(text, origin);
  return text;
}

std::expected<Origin, std::string> parse_origin(std::string_view url) {
  const std::size_t scheme = std::min(url.find("://"), url.size());
  const bool tls = equal_ignoring_case(url.substr(0, scheme), "https");
  if (scheme == url.size() || (!tls && !equal_ignoring_case(url.substr(0, scheme), "http"))) {
    return std::unexpected("the URL must begin with http:// or https://");
  }
  return parse_authority(tls, url.substr(scheme + 3));
}

}  // namespace fuseboard::net
