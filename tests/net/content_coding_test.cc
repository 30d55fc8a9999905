// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/content_coding.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <limits>
#include <string>
#include <vector>

namespace fuseboard::net {
namespace {

using enum ContentCoding;

std::string zipped(std::string_view text, int window) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in(text);
  std::string out(deflateBound(&stream, in.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string coded(ContentCoding coding, std::string_view text) {
  switch (coding) {
    case gzip:
      return zipped(text, MAX_WBITS + 16);
    case deflate:
      return zipped(text, MAX_WBITS);
    case br: {
      std::string out(BrotliEncoderMaxCompressedSize(text.size()) + 64, '\0');
      std::size_t size = out.size();
      EXPECT_TRUE(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(),
                                        reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                        reinterpret_cast<std::uint8_t*>(out.data())));
      out.resize(size);
      return out;
    }
    case zstd: {
      std::string out(ZSTD_compressBound(text.size()), '\0');
      out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
      return out;
    }
  }
  return {};
}

constexpr ContentCoding kAll[] = {gzip, deflate, br, zstd};
constexpr std::size_t kAnySize = std::numeric_limits<std::size_t>::max();

// In pieces of `piece` bytes.
std::expected<std::string, DecodeError> decoded(std::vector<ContentCoding> codings, std::string_view body,
                                                std::size_t max = kAnySize, std::size_t piece = kAnySize) {
  ContentDecoder decoder(std::move(codings), max);
  std::string out;
  while (!body.empty()) {
    const std::string_view next = body.substr(0, piece);
    body.remove_prefix(next.size());
    if (auto done = decoder.decode(next, out); !done) return std::unexpected(done.error());
  }
  if (auto done = decoder.finish(); !done) return std::unexpected(done.error());
  return out;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i * 7919 % 10'007) + "\n";
  return text;
}

TEST(ContentCodings, AreReadFromAllHeadersInTheirOrder) {
  const auto read = [](Headers headers) { return content_codings(headers); };
  EXPECT_TRUE(read({})->empty());
  EXPECT_TRUE(read({{"content-encoding", "identity"}})->empty());
  EXPECT_TRUE(read({{"content-encoding", " , ,"}})->empty());
  for (const char* plain : {"none", "UTF-8", "utf8", "aws-chunked", "binary"})
    EXPECT_TRUE(read({{"content-encoding", plain}})->empty()) << plain;
  EXPECT_EQ(*read({{"content-encoding", "aws-chunked, gzip"}}), std::vector{gzip});
  EXPECT_EQ(*read({{"Content-Encoding", "GZip"}}), std::vector{gzip});
  EXPECT_EQ(*read({{"content-encoding", "x-gzip,deflate , br"}, {"CONTENT-ENCODING", "\tzstd\t"}}),
            (std::vector{gzip, deflate, br, zstd}));
  EXPECT_EQ(read({{"content-encoding", "gzip, compress"}}).error().name, "compress");
  EXPECT_EQ(read({{"content-encoding", "gzip;q=1"}}).error().name, "gzip;q=1");
  EXPECT_EQ(read({{"content-encoding", "gzip, gzip, gzip, gzip"}})->size(), kMaxCodings);
  EXPECT_EQ(read({{"content-encoding", "gzip, gzip, gzip, gzip, gzip"}}).error().name, "");
}

TEST(ContentDecoder, GivesBackWhatWasCoded) {
  for (const std::string& text : {std::string(), std::string("x"), long_text(), std::string(100'000, 'a')}) {
    for (const ContentCoding coding : kAll) {
      for (const std::size_t piece : {kAnySize, std::size_t{1000}, std::size_t{1}}) {
        const auto plain = decoded({coding}, coded(coding, text), kAnySize, piece);
        ASSERT_TRUE(plain) << static_cast<int>(coding) << ' ' << piece;
        EXPECT_TRUE(*plain == text) << static_cast<int>(coding) << ' ' << piece << ' ' << plain->size();
      }
    }
  }
}

TEST(ContentDecoder, TakesOffSeveralCodingsTheLastFirst) {
  const std::string text = long_text();
  EXPECT_EQ(decoded({gzip, br}, coded(br, coded(gzip, text))), text);
  EXPECT_EQ(decoded({zstd, deflate, gzip, br}, coded(br, coded(gzip, coded(deflate, coded(zstd, text))))), text);
  EXPECT_EQ(decoded({br, gzip}, coded(br, coded(gzip, text))).error(), DecodeError::malformed);
}

TEST(ContentDecoder, ReadsDeflateWithoutItsWrapperToo) {
  EXPECT_EQ(decoded({deflate}, zipped("raw", -MAX_WBITS)), "raw");
  EXPECT_EQ(decoded({deflate}, zipped(long_text(), -9), kAnySize, 7), long_text());
  EXPECT_EQ(decoded({deflate}, zipped("small window", 9)), "small window");
}

TEST(ContentDecoder, ReadsPartsInARow) {
  EXPECT_EQ(decoded({gzip}, coded(gzip, "one, ") + coded(gzip, "two")), "one, two");
  EXPECT_EQ(decoded({gzip}, coded(gzip, "one, ") + coded(gzip, "two"), kAnySize, 1), "one, two");
  EXPECT_EQ(decoded({zstd}, coded(zstd, "one, ") + coded(zstd, "two"), kAnySize, 1), "one, two");
}

TEST(ContentDecoder, ReadsOnlyTheFramesOfTheStandard) {  // RFC 8878
  const std::string frame = coded(zstd, "text");
  const std::string skipped(
      "\x5A\x2A\x4D\x18\x03\x00\x00\x00"
      "abc",
      11);
  const std::string before_the_standard("\x27\xB5\x2F\xFD\x00\x00\xE3\x03\x19", 9);  // of version 0.7
  // A header whose bytes behind the magic number look like another frame's (RFC 8878 3.1.1.1.1: bit 4 is not used).
  std::string like_another("\x28\xB5\x2F\xFD\x50\x2A\x4D\x18\x22\x03\x00\x00\x49\xC7\x00", 15);
  like_another += std::string(6377, 'x');
  // 256 bytes as they are, and a window of 16 MiB, for which RFC 9659 has no room.
  const std::string wide = std::string("\x28\xB5\x2F\xFD\x40\x70\x00\x00\x01\x08\x00", 11) + std::string(256, 'x');
  const std::string no_frame("\x60\x2A\x4D\x18\x00\x00\x00\x00", 8);
  for (const std::size_t piece : {kAnySize, std::size_t{8}, std::size_t{7}, std::size_t{5}, std::size_t{1}}) {
    SCOPED_TRACE(piece);
    EXPECT_EQ(decoded({zstd}, skipped + frame + skipped + frame, kAnySize, piece), "texttext");
    EXPECT_EQ(decoded({zstd}, like_another, kAnySize, piece), std::string(100, '\0') + std::string(6377, 'x'));
    EXPECT_EQ(decoded({zstd}, wide, kAnySize, piece).error(), DecodeError::malformed);
    EXPECT_EQ(decoded({zstd}, before_the_standard, kAnySize, piece).error(), DecodeError::malformed);
    EXPECT_EQ(decoded({zstd}, frame + before_the_standard, kAnySize, piece).error(), DecodeError::malformed);
    EXPECT_EQ(decoded({zstd}, frame + no_frame, kAnySize, piece).error(), DecodeError::malformed);
    EXPECT_EQ(decoded({zstd}, frame + skipped.substr(0, 3), kAnySize, piece).error(), DecodeError::malformed);
  }
}

TEST(ContentDecoder, RefusesWhatIsCutOffOrSpoiledOrFollowedBySomething) {
  for (const ContentCoding coding : kAll) {
    const std::string whole = coded(coding, "some text that was coded, and then some more of it");
    for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{1}}) {
      EXPECT_EQ(decoded({coding}, whole.substr(0, size)).error(), DecodeError::malformed)
          << static_cast<int>(coding) << ' ' << size;
    }
    EXPECT_EQ(decoded({coding}, whole + "tail").error(), DecodeError::malformed) << static_cast<int>(coding);
    EXPECT_EQ(decoded({coding}, R"({"model":"plain"})").error(), DecodeError::malformed) << static_cast<int>(coding);
    ContentDecoder decoder({coding}, kAnySize);
    std::string out;
    EXPECT_FALSE(decoder.decode("this is nothing of the kind, whatever way", out));
    EXPECT_FALSE(decoder.decode(whole, out)) << "after an error there is only an error";
    EXPECT_FALSE(decoder.finish());
  }
  std::string spoiled = coded(gzip, long_text());
  spoiled[spoiled.size() - 6] ^= 1;  // its checksum
  EXPECT_EQ(decoded({gzip}, spoiled).error(), DecodeError::malformed);
}

TEST(ContentDecoder, HoldsToItsBound) {  // CORE-5
  const std::string text = long_text();
  for (const ContentCoding coding : kAll) {
    EXPECT_TRUE(decoded({coding}, coded(coding, text), text.size())) << static_cast<int>(coding);
    EXPECT_EQ(decoded({coding}, coded(coding, text), text.size() - 1).error(), DecodeError::too_large)
        << static_cast<int>(coding);
  }
  EXPECT_EQ(decoded({}, "abc", 2).error(), DecodeError::too_large);
  EXPECT_EQ(decoded({}, "abc", 3), "abc");
}

TEST(ContentDecoder, CutsABombEarlyWhereverItIsHidden) {  // CORE-5
  const std::string zeros(std::size_t{64} << 20, '\0');
  for (const ContentCoding coding : kAll) {
    const std::string bomb = coded(coding, zeros);
    ASSERT_LT(bomb.size(), 100'000U);
    ContentDecoder decoder({coding}, 1'000'000);
    std::string out;
    EXPECT_EQ(decoder.decode(bomb, out).error(), DecodeError::too_large) << static_cast<int>(coding);
    EXPECT_LE(out.size(), 1'000'000U);
  }
  // What comes off first is huge, what it decodes to would be small: 64 MiB of empty gzip members.
  std::string inner;
  const std::string empty = coded(gzip, "");
  while (inner.size() < (std::size_t{4} << 20)) inner += empty;
  EXPECT_EQ(decoded({gzip, br}, coded(br, inner), 1'000'000).error(), DecodeError::too_large);
}

TEST(ContentDecoder, AStreamGetsANewBoundForEachPiece) {
  ContentDecoder decoder({gzip}, 0);
  std::string out;
  const std::string one = coded(gzip, std::string(1000, 'x'));
  for (int i = 0; i < 5; ++i) {
    decoder.allow(1000);
    ASSERT_TRUE(decoder.decode(one, out)) << i;
  }
  EXPECT_EQ(out.size(), 5000U);
  decoder.allow(999);
  EXPECT_EQ(decoder.decode(one, out).error(), DecodeError::too_large);
}

TEST(ContentDecoder, SaysWhatItCanAsSoonAsItCan) {
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  ContentDecoder decoder({gzip}, kAnySize);
  std::string out;
  for (std::string event : {"data: one\n\n", "data: two\n\n"}) {
    std::string coded_event(100, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(event.data());
    stream.avail_in = static_cast<uInt>(event.size());
    stream.next_out = reinterpret_cast<Bytef*>(coded_event.data());
    stream.avail_out = static_cast<uInt>(coded_event.size());
    ASSERT_EQ(::deflate(&stream, Z_SYNC_FLUSH), Z_OK);
    coded_event.resize(coded_event.size() - stream.avail_out);
    ASSERT_TRUE(decoder.decode(coded_event, out));
    EXPECT_TRUE(out.ends_with(event)) << out;
  }
  deflateEnd(&stream);
}

}  // namespace
}  // namespace fuseboard::net
