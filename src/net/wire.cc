// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/wire.h"

#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "fuseboard/core/check.h"

namespace fuseboard::net {
namespace {

constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  static constexpr std::array<bool, 256> kToken = token_table();
  bool all = !text.empty();
  for (const char c : text) all &= kToken[static_cast<unsigned char>(c)];
  return all;
}

namespace {

// There hardly ever is one.
void replace_controls(std::span<char> text, char instead) {
  // Without a way out, so that it is done for many characters at once.
  bool any = false;
  for (const char c : text) any |= is_control(c);
  if (!any) return;
  for (char& c : text) {
    if (is_control(c)) c = instead;
  }
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

bool is_framing(std::string_view name) noexcept {
  switch (name.size()) {
    case 10:
      return equal_ignoring_case(name, "connection") || equal_ignoring_case(name, "keep-alive");
    case 14:
      return equal_ignoring_case(name, "content-length");
    case 17:
      return equal_ignoring_case(name, "transfer-encoding");
    default:
      return false;
  }
}

char* put(char* at, std::string_view text) noexcept {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

void append_headers(std::string& out, const Headers& headers) {
  const std::size_t begin = out.size();
  std::size_t most = begin;
  for (const Header header : headers) most += header.name.size() + header.value.size() + 4;
  const bool clean = !headers.has_controls();
  out.resize_and_overwrite(most, [&](char* text, std::size_t) {
    char* end = text + begin;
    for (const Header header : headers) {
      if (is_framing(header.name) || !is_token(header.name)) continue;
      char* const value = put(put(end, header.name), ": ");
      end = put(value, header.value);
      if (!clean) replace_controls({value, end}, ' ');
      end = put(end, "\r\n");
    }
    return static_cast<std::size_t>(end - text);
  });
}

void append_framing(std::string& out, const Framing& framing) {
  if (framing.kind == Framing::length) {
    out.append("content-length: ");
    append_number(out, framing.size);
    out.append("\r\n");
  } else if (framing.kind == Framing::chunked) {
    out.append("transfer-encoding: chunked\r\n");
  }
  if (framing.close) {
    out.append("connection: close\r\n");
  } else if (framing.keep_alive_1_0) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

}  // namespace

void append_response_head(std::string& out, const ResponseHead& head, const Framing& framing) {
  out.reserve(kUsualHeadBytes);
  const int status = head.status >= 100 && head.status <= 999 ? head.status : 500;
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
  append_headers(out, head.headers);
  append_framing(out, framing);
}

void append_request_head(std::string& out, const RequestHead& head, const Origin& origin, const Framing& framing) {
  check_invariant(is_token(head.method), "a request's method is a token");
  out.reserve(kUsualHeadBytes);
  out.append(head.method).append(" ");
  const std::size_t target = out.size();
  out.append(head.target.empty() ? std::string_view("/") : head.target);
  for (std::size_t i = target; i < out.size(); ++i) {
    if (is_control(out[i]) || out[i] == ' ' || out[i] == '\t') out[i] = '_';
  }
  out.append(" HTTP/1.1\r\n");
  if (!head.headers.contains("host")) {
    out.append("host: ");
    append_authority(out, origin);
    out.append("\r\n");
  }
  append_headers(out, head.headers);
  append_framing(out, framing);
}

}  // namespace fuseboard::net
