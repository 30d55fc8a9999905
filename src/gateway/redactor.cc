// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/redactor.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

namespace fuseboard::gateway {
namespace {

std::optional<unsigned> hex_value(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    value *= 16;
    if (c >= '0' && c <= '9') {
      value += static_cast<unsigned>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value += static_cast<unsigned>((c | 0x20) - 'a') + 10;
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// A text without its escapes, and where each character of that stands.
struct Folded {
  std::string text;
  std::vector<std::uint32_t> begins;  // one more than characters
};

// The hex digits of "%2d" behind the '%', of what an encoded '%' is followed by, too; how many characters they are.
std::size_t read_percent(std::string_view after, char& c) {
  std::size_t taken = 0;
  while (c == '%' && after.size() >= taken + 2) {
    const auto value = hex_value(after.substr(taken, 2));
    if (!value) break;
    c = static_cast<char>(*value);
    taken += 2;
  }
  return taken;
}

Folded folded(std::string_view text) {
  Folded out;
  out.text.reserve(text.size());
  out.begins.reserve(text.size() + 1);
  for (std::size_t at = 0; at < text.size();) {
    out.begins.push_back(static_cast<std::uint32_t>(at));
    // Text within text is escaped again each time, and doubles its backslashes.
    const bool escaped = text[at] == '\\';
    while (at < text.size() && text[at] == '\\') ++at;
    if (at == text.size()) {
      out.begins.pop_back();
      break;
    }
    char c = text[at++];
    const auto code = escaped && c == 'u' && text.size() >= at + 4 ? hex_value(text.substr(at, 4)) : std::nullopt;
    if (code) {
      c = *code < 0x80 ? static_cast<char>(*code) : '\0';  // what secrets do not hold
      at += 4;
    }
    at += read_percent(text.substr(at), c);
    out.text += c;
  }
  out.begins.push_back(static_cast<std::uint32_t>(text.size()));
  return out;
}

// std::string_view::find looks for the first letter, which is everywhere.
std::size_t find(std::string_view text, std::string_view what, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const void* const found = ::memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool replace_all(std::string& text, std::string_view what) {
  std::size_t at = find(text, what, 0);
  if (at == std::string::npos) return false;
  std::string out;
  std::size_t copied = 0;
  for (; at != std::string::npos; at = find(text, what, copied)) {
    out.append(text, copied, at - copied).append(Redactor::kMask);
    copied = at + what.size();
  }
  text = out.append(text, copied);
  return true;
}

bool replace_folded(std::string& text, std::string_view what) {
  const Folded plain = folded(text);
  std::size_t at = find(plain.text, what, 0);
  if (at == std::string::npos) return false;
  std::string out;
  std::size_t copied = 0;
  for (; at != std::string::npos; at = find(plain.text, what, at + what.size())) {
    out.append(text, copied, plain.begins[at] - copied).append(Redactor::kMask);
    copied = plain.begins[at + what.size()];
  }
  text = out.append(text, copied);
  return true;
}

std::string with_escaped_slashes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '/' || c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Redactor::Redactor(std::vector<std::string> secrets) {
  for (std::string& secret : secrets) {
    if (secret.size() < kShortest) continue;
    if (std::string plain = folded(secret).text; plain.size() >= kShortest) plain_.push_back(std::move(plain));
    std::string encoded = net::percent_encode(secret);
    std::string escaped = with_escaped_slashes(secret);
    if (encoded != secret) usual_.push_back(std::move(encoded));
    if (escaped != secret) usual_.push_back(std::move(escaped));
    usual_.push_back(std::move(secret));
  }
}

bool Redactor::redact(std::string& text) const {
  bool found = redact_usual(text);
  if (text.find_first_of("\\%") == std::string::npos) return found;
  for (const std::string& secret : plain_) found |= replace_folded(text, secret);
  return found;
}

bool Redactor::redact_usual(std::string& text) const {
  bool found = false;
  for (const std::string& secret : usual_) found |= replace_all(text, secret);
  return found;
}

void Redactor::redact(net::Headers& headers) const {
  for (const std::string& secret : usual_) {
    if (!headers.mention(secret)) continue;
    net::Headers clean;
    for (const net::Header header : headers) {
      std::string value(header.value);
      redact_usual(value);
      clean.add(header.name, value);
    }
    headers = std::move(clean);
  }
}

}  // namespace fuseboard::gateway
