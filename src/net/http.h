// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// HTTP messages as values, and the small grammar around them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fuseboard::net {

// One header as it is read: views into its Headers, valid until those change.
struct Header {
  std::string_view name;
  std::string_view value;
};

// What no header's value may hold (RFC 9110 5.5).
constexpr bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t') || byte == 0x7F;
}

// Case-insensitive comparison of ASCII.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept;

// An ordered list of headers in two allocations, whatever their number. Names compare without case and keep the case
// they were given. At most 4 GiB of text.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> headers);

  void add(std::string_view name, std::string_view value);  // after those of the same name
  void set(std::string_view name, std::string_view value);  // in place of those of the same name
  std::size_t erase(std::string_view name);                 // how many there were
  template <class Doomed>
  std::size_t erase_if(Doomed doomed) {  // those of which doomed(Header) holds, asked once each; how many there were
    return std::erase_if(slots_, [&](const Slot& slot) { return doomed(header(slot)); });
  }
  void clear() noexcept;  // keeps the memory
  void reserve(std::size_t headers, std::size_t bytes);

  // The first of that name. Linear: lists are short.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  std::string_view get(std::string_view name) const noexcept { return find(name).value_or(std::string_view()); }
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  // Whether the comma-separated lists of that name hold `token` (without case, parameters ignored), e.g. connection:
  // close.
  bool has_token(std::string_view name, std::string_view token) const noexcept;

  // Whether `text` stands anywhere, erased headers and the seams between them included: a quick first look.
  bool mention(std::string_view text) const noexcept;

  // Whether a control character but a tab stands anywhere, erased headers included. Looks at all of them at once.
  bool has_controls() const noexcept;

  std::size_t size() const noexcept { return slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  Header operator[](std::size_t index) const noexcept { return header(slots_[index]); }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Header;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Header;
    Iterator() = default;
    Iterator(const Headers* owner, std::size_t at) noexcept : owner_(owner), at_(at) {}
    Header operator*() const noexcept { return (*owner_)[at_]; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    Iterator operator++(int) noexcept { return {owner_, at_++}; }
    friend bool operator==(const Iterator&, const Iterator&) noexcept = default;

   private:
    const Headers* owner_ = nullptr;
    std::size_t at_ = 0;
  };
  Iterator begin() const noexcept { return {this, 0}; }
  Iterator end() const noexcept { return {this, slots_.size()}; }

 private:
  struct Slot {
    std::uint32_t name_at, name_size, value_at, value_size;
  };
  Header header(const Slot& slot) const noexcept {
    return {std::string_view(text_.data() + slot.name_at, slot.name_size),
            std::string_view(text_.data() + slot.value_at, slot.value_size)};
  }

  std::string text_;  // of erased headers too; reclaimed by clear()
  std::vector<Slot> slots_;
};

// Room for the text of most heads: growing to it by doubling would copy it six times. Blocks of over 1 032 bytes are
// not kept by glibc for the thread that frees them (malloc.c, tcache), and cost five times as much.
inline constexpr std::size_t kUsualHeadBytes = 1000;

struct RequestHead {
  std::string method = "GET";
  std::string target = "/";  // as on the wire: path and query, percent-encoded
  Headers headers{};
};

struct ResponseHead {
  int status = 200;
  Headers headers{};
};

// "Not Found"; "Unknown" for a status without a registered phrase.
std::string_view reason_phrase(int status) noexcept;

// Headers that concern one connection and must not be relayed (RFC 9110 7.6.1), besides those that Connection names.
bool is_hop_by_hop(std::string_view name) noexcept;
// Removes them, and those that Connection names.
void erase_hop_by_hop(Headers& headers);

struct Target {
  std::string_view path;
  std::string_view query;  // without '?', empty when there is none
};
// Splits a request target in origin or absolute form; the views point into it.
Target split_target(std::string_view target) noexcept;

// nullopt when a '%' is not followed by two hex digits. '+' stays '+'.
std::optional<std::string> percent_decode(std::string_view text);
// Everything but unreserved characters (RFC 3986 2.3) encoded.
std::string percent_encode(std::string_view text);
// The first value of `name` in a query, decoded, with '+' as a space.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// Where connections go: the key of a connection pool.
struct Origin {
  bool tls = false;
  std::string host{};  // a name or an address; IPv6 without brackets
  std::uint16_t port = 80;
  friend bool operator==(const Origin&, const Origin&) = default;
};
// "https://host:8443"; a port that is the scheme's own is left out.
std::string to_text(const Origin& origin);
// The same without the scheme, as the Host header has it.
void append_authority(std::string& out, const Origin& origin);

// http(s)://host[:port]. The error says what is wrong, without the text: a URL may carry a password.
std::expected<Origin, std::string> parse_origin(std::string_view url);

}  // namespace fuseboard::net
