// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <cstring>

#include "net/http.h"

namespace fuseboard::net {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls `visit` with each trimmed, non-empty element of a comma-separated list, until it returns true.
template <class Visit>
bool any_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty() && visit(element)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  return equal_ignoring_case(text.substr(0, prefix.size()), prefix);
}

Headers::Headers(std::initializer_list<Header> headers) {
  for (const Header& header : headers) add(header.name, header.value);
}

void Headers::add(std::string_view name, std::string_view value) {
  const std::size_t size = text_.size() + name.size() + value.size();
  if (size > text_.capacity()) {
    // A view of our own text stays good until the larger one is there.
    std::string larger;
    larger.reserve(std::max(size, 2 * text_.capacity()));
    larger.append(text_).append(name).append(value);
    text_ = std::move(larger);
  } else {
    text_.append(name).append(value);
  }
  slots_.push_back({.name_at = static_cast<std::uint32_t>(size - value.size() - name.size()),
                    .name_size = static_cast<std::uint32_t>(name.size()),
                    .value_at = static_cast<std::uint32_t>(size - value.size()),
                    .value_size = static_cast<std::uint32_t>(value.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  const auto first =
      std::ranges::find_if(slots_, [&](const Slot& slot) { return equal_ignoring_case(header(slot).name, name); });
  const auto at = first - slots_.begin();
  add(name, value);  // may move both the slots and what `name` points to
  if (at + 1 == static_cast<std::ptrdiff_t>(slots_.size())) return;
  const Slot fresh = slots_.back();
  slots_.pop_back();
  slots_[static_cast<std::size_t>(at)] = fresh;
  const std::string_view kept = header(fresh).name;
  slots_.erase(std::remove_if(slots_.begin() + at + 1, slots_.end(),
                              [&](const Slot& slot) { return equal_ignoring_case(header(slot).name, kept); }),
               slots_.end());
}

std::size_t Headers::erase(std::string_view name) {
  return std::erase_if(slots_, [&](const Slot& slot) { return equal_ignoring_case(header(slot).name, name); });
}

void Headers::clear() noexcept {
  text_.clear();
  slots_.clear();
}

void Headers::reserve(std::size_t headers, std::size_t bytes) {
  slots_.reserve(headers);
  text_.reserve(bytes);
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const Slot& slot : slots_) {
    if (slot.name_size == name.size() && equal_ignoring_case(header(slot).name, name)) return header(slot).value;
  }
  return std::nullopt;
}

bool Headers::mention(std::string_view text) const noexcept {
  return ::memmem(text_.data(), text_.size(), text.data(), text.size()) != nullptr;
}

bool Headers::has_controls() const noexcept {
  // Without a way out, so that it is done for many characters at once.
  bool any = false;
  for (const char c : text_) any |= is_control(c);
  return any;
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  for (const Slot& slot : slots_) {
    if (slot.name_size != name.size() || !equal_ignoring_case(header(slot).name, name)) continue;
    if (any_element(header(slot).value, [&](std::string_view element) {
          return equal_ignoring_case(trim(element.substr(0, element.find(';'))), token);
        })) {
      return true;
    }
  }
  return false;
}

bool is_hop_by_hop(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 9> kNames = {
      "connection", "keep-alive",        "proxy-connection", "proxy-authenticate", "proxy-authorization", "te",
      "trailer",    "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames, [&](std::string_view known) { return equal_ignoring_case(known, name); });
}

void erase_hop_by_hop(Headers& headers) {
  std::vector<std::string> named;
  for (const Header header : headers) {
    if (!equal_ignoring_case(header.name, "connection")) continue;
    any_element(header.value, [&](std::string_view element) {
      named.emplace_back(element);
      return false;
    });
  }
  std::vector<std::string_view> doomed;
  for (const Header header : headers) {
    if (is_hop_by_hop(header.name)) doomed.push_back(header.name);
  }
  // Erasing moves no text, so the views stay valid.
  for (const std::string_view name : doomed) headers.erase(name);
  for (const std::string& name : named) headers.erase(name);
}

}  // namespace fuseboard::net
