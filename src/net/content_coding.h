// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Bodies in a content coding (RFC 9110 8.4), made plain: gzip, deflate, br, zstd, and several in a row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/time.h"
#include "net/body_memory.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/task.h"

namespace fuseboard::net {

enum class ContentCoding : std::uint8_t { gzip, deflate, br, zstd };

// What `accept-encoding` says of them.
inline constexpr std::string_view kAcceptedCodings = "gzip, deflate, br, zstd";

// In the order in which they were applied. Nobody codes a body more often than this.
inline constexpr std::size_t kMaxCodings = 4;
struct UnknownCoding {
  std::string name{};  // empty: more than kMaxCodings
};
// Of all content-encoding headers; "identity" is none, and so is what people
// write who mean that ("utf-8", "none", "aws-chunked").
std::expected<std::vector<ContentCoding>, UnknownCoding> content_codings(const Headers& headers);

enum class DecodeError : std::uint8_t {
  malformed,
  too_large,  // more than the bound, once decoded
  no_memory,  // for what it might become, in time
};

// Takes a body in pieces, as it comes. Holds what its codings need, at most 8 MiB each. Not thread-safe.
class ContentDecoder {
 public:
  // Of at most `max_bytes` in all, and no more of what an inner coding holds, so that a small body which stands for a
  // huge one is cut early.
  ContentDecoder(std::vector<ContentCoding> codings, std::size_t max_bytes);
  ContentDecoder(ContentDecoder&&) noexcept;
  ContentDecoder& operator=(ContentDecoder&&) noexcept;
  ~ContentDecoder();

  // A new bound on what comes next: for a stream, which may go on for ever.
  void allow(std::size_t bytes) noexcept;

  // Appends to `out` what `piece` lets it say. After an error every further call gives one.
  std::expected<void, DecodeError> decode(std::string_view piece, std::string& out);

  // The body has ended: an error where it is not whole.
  std::expected<void, DecodeError> finish() const;

  class Stage;  // private to net: one coding

 private:
  std::expected<void, DecodeError> run(std::size_t stage, std::string_view piece, std::string& out);

  std::vector<std::unique_ptr<Stage>> stages_;  // the first decodes what comes
  std::vector<std::size_t> left_;               // bytes that each may still give
  bool failed_ = false;
};

// Whose share of the memory of bodies grows with what is decoded, waiting for room until `by`. Null: nobody's. A small
// body may stand for a large one: before it is decoded the share holds the most that it may become.
struct DecodeMemory {
  BodyMemory::Share* share = nullptr;  // has what it has besides; must stay where it is
  TimePoint by = kNever;
};

// All of a body, letting the loop do other work in between. Without codings, or empty, it comes back as it is.
Task<std::expected<std::string, DecodeError>> decode_content(Loop& loop, std::vector<ContentCoding> codings,
                                                             std::string body, std::size_t max_bytes,
                                                             DecodeMemory memory = {});

}  // namespace fuseboard::net
