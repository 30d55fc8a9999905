// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/content_coding.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "net/decoder_stage.h"

namespace fuseboard::net {
namespace {

std::optional<ContentCoding> coding_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, ContentCoding>, 5> kNames = {{{"gzip", ContentCoding::gzip},
                                                                                 {"x-gzip", ContentCoding::gzip},
                                                                                 {"deflate", ContentCoding::deflate},
                                                                                 {"br", ContentCoding::br},
                                                                                 {"zstd", ContentCoding::zstd}}};
  for (const auto& [known, coding] : kNames) {
    if (equal_ignoring_case(known, name)) return coding;
  }
  return std::nullopt;
}

// What says that nothing was coded. Only the first is in the registry (RFC 9110 8.4.1); the others are written by
// servers that take the header for a charset, or by stores that keep how an upload was framed.
bool is_plain(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames = {"identity", "none", "utf-8", "utf8", "aws-chunked", "binary"};
  return std::ranges::any_of(kNames, [&](std::string_view known) { return equal_ignoring_case(known, name); });
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::expected<std::vector<ContentCoding>, UnknownCoding> content_codings(const Headers& headers) {
  std::vector<ContentCoding> codings;
  for (const Header header : headers) {
    if (!equal_ignoring_case(header.name, "content-encoding")) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const std::size_t comma = std::min(list.find(','), list.size());
      const std::string_view name = trimmed(list.substr(0, comma));
      list.remove_prefix(std::min(comma + 1, list.size()));
      if (name.empty() || is_plain(name)) continue;
      const auto coding = coding_named(name);
      if (!coding) return std::unexpected(UnknownCoding{.name = std::string(name)});
      if (codings.size() == kMaxCodings) return std::unexpected(UnknownCoding{});
      codings.push_back(*coding);
    }
  }
  return codings;
}

ContentDecoder::ContentDecoder(std::vector<ContentCoding> codings, std::size_t max_bytes) {
  std::ranges::reverse(codings);  // what was applied last comes off first
  for (const ContentCoding coding : codings) {
    stages_.push_back(make_stage(coding));
    left_.push_back(max_bytes);
  }
  if (left_.empty()) left_.push_back(max_bytes);
}

ContentDecoder::ContentDecoder(ContentDecoder&&) noexcept = default;
ContentDecoder& ContentDecoder::operator=(ContentDecoder&&) noexcept = default;
ContentDecoder::~ContentDecoder() = default;

void ContentDecoder::allow(std::size_t bytes) noexcept { std::ranges::fill(left_, bytes); }

std::expected<void, DecodeError> ContentDecoder::decode(std::string_view piece, std::string& out) {
  if (failed_) return std::unexpected(DecodeError::malformed);
  auto done = run(0, piece, out);
  failed_ = !done;
  return done;
}

std::expected<void, DecodeError> ContentDecoder::run(std::size_t stage, std::string_view piece, std::string& out) {
  if (stages_.empty()) {
    if (piece.size() > left_.front()) return std::unexpected(DecodeError::too_large);
    left_.front() -= piece.size();
    out += piece;
    return {};
  }
  const bool last = stage + 1 == stages_.size();
  std::array<char, 16 * 1024> space;
  for (bool more = true; more;) {
    const auto step = stages_[stage]->step(piece, space);
    if (!step) return std::unexpected(DecodeError::malformed);
    const std::string_view given(space.data(), step->written);
    if (given.size() > left_[stage]) return std::unexpected(DecodeError::too_large);
    left_[stage] -= given.size();
    if (last) {
      out += given;
    } else if (!given.empty()) {
      if (auto done = run(stage + 1, given, out); !done) return done;
    }
    // A full buffer may have more behind it.
    more = !piece.empty() || step->written == space.size();
  }
  return {};
}

std::expected<void, DecodeError> ContentDecoder::finish() const {
  const bool whole = !failed_ && std::ranges::all_of(stages_, [](const auto& stage) { return stage->at_end(); });
  if (!whole) return std::unexpected(DecodeError::malformed);
  return {};
}

namespace {

// The most that a body of so many bytes may become.
std::size_t most_decoded(const std::vector<ContentCoding>& codings, std::size_t bytes, std::size_t max_bytes) {
  // RFC 1951: no more than 258 bytes for each two bits. The others know repetitions of any length.
  constexpr std::size_t kMaxOfDeflate = 1032;
  if (codings.size() > 1) return max_bytes;
  const bool deflated = codings.front() == ContentCoding::gzip || codings.front() == ContentCoding::deflate;
  return deflated && bytes < max_bytes / kMaxOfDeflate ? bytes * kMaxOfDeflate : max_bytes;
}

Task<std::expected<std::string, DecodeError>> decode_all(Loop& loop, std::vector<ContentCoding> codings,
                                                         std::string_view body, std::size_t max_bytes) {
  // Of what comes in and of what comes out: some tenths of a millisecond.
  static constexpr std::size_t kSlice = 16 * 1024;
  static constexpr std::size_t kTurn = 256 * 1024;
  ContentDecoder decoder(std::move(codings), max_bytes);
  std::string plain;
  std::size_t turn_ends = kTurn;
  for (std::string_view left = body; !left.empty();) {
    const std::string_view slice = left.substr(0, kSlice);
    left.remove_prefix(slice.size());
    if (auto done = decoder.decode(slice, plain); !done) co_return std::unexpected(done.error());
    if (plain.size() < turn_ends) continue;
    turn_ends = plain.size() + kTurn;
    co_await loop.sleep_until(loop.now());
  }
  if (auto done = decoder.finish(); !done) co_return std::unexpected(done.error());
  co_return plain;
}

}  // namespace

Task<std::expected<std::string, DecodeError>> decode_content(Loop& loop, std::vector<ContentCoding> codings,
                                                             std::string body, std::size_t max_bytes,
                                                             DecodeMemory memory) {
  if (codings.empty() || body.empty()) co_return body;
  BodyMemory::Share nobodys;
  BodyMemory::Share& share = memory.share == nullptr ? nobodys : *memory.share;
  const std::size_t besides = share.bytes();
  const std::size_t most = besides + most_decoded(codings, body.size(), max_bytes);
  if (!share.try_grow(most) && !co_await share.grow(loop, most, memory.by))
    co_return std::unexpected(DecodeError::no_memory);
  auto plain = co_await decode_all(loop, std::move(codings), body, max_bytes);
  share.shrink(besides + (plain ? plain->size() : 0));
  co_return plain;
}

}  // namespace fuseboard::net
