// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "net/decoder_stage.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>

#include "fuseboard/core/check.h"

namespace fuseboard::net {
namespace {

using Stage = ContentDecoder::Stage;

// zlib's and zstd's interfaces count in ints and const-less pointers.
Bytef* bytes(std::span<const char> text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,cppcoreguidelines-pro-type-const-cast)
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

// gzip, also several members in a row (RFC 1952 2.2), and deflate: in a zlib wrapper as RFC 9110 8.4.1.2 says, or
// without one, as many send it.
class Inflate final : public Stage {
 public:
  explicit Inflate(ContentCoding coding) : gzip_(coding == ContentCoding::gzip) {
    if (gzip_) open(kGzipWindow);
  }
  ~Inflate() override {
    if (open_) inflateEnd(&stream_);
  }

  std::optional<Step> step(std::string_view& in, std::span<char> out) override {
    if (in.empty() && !open_) return Step{};
    if (!open_) open(begins_as_zlib(in.front()) ? kZlibWindow : kRawWindow);
    stream_.next_out = bytes(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    for (;;) {
      if (done_) {
        if (in.empty()) break;
        if (!gzip_ || inflateReset(&stream_) != Z_OK) return std::nullopt;
        done_ = false;
      }
      const std::string_view taken = in.substr(0, kMaxAtOnce);
      stream_.next_in = bytes(taken);
      stream_.avail_in = static_cast<uInt>(taken.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      in.remove_prefix(taken.size() - stream_.avail_in);
      done_ = result == Z_STREAM_END;
      // Z_BUF_ERROR: it wants more of the one or room for the other.
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return std::nullopt;
      if (stream_.avail_out == 0 || (in.empty() && !done_)) break;
    }
    return Step{.written = out.size() - stream_.avail_out};
  }

  bool at_end() const override { return done_; }

 private:
  static constexpr int kRawWindow = -MAX_WBITS;
  static constexpr int kZlibWindow = MAX_WBITS;
  static constexpr int kGzipWindow = MAX_WBITS + 16;
  static constexpr std::size_t kMaxAtOnce = std::size_t{1} << 30;

  // The method in the low half, the window above it, at most 32 KiB (RFC 1950 2.2). A raw stream that begins so would
  // be a stored block with bits that its encoders leave 0.
  static bool begins_as_zlib(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return (byte & 0x0F) == Z_DEFLATED && (byte >> 4) <= 7;
  }

  void open(int window) {
    if (inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();
    open_ = true;
  }

  z_stream stream_{};
  bool gzip_;
  bool open_ = false;
  bool done_ = false;
};

class Brotli final : public Stage {
 public:
  Brotli() : state_(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr)) {
    if (state_ == nullptr) throw std::bad_alloc();
  }
  ~Brotli() override { BrotliDecoderDestroyInstance(state_); }

  std::optional<Step> step(std::string_view& in, std::span<char> out) override {
    if (done_) return in.empty() ? std::optional(Step{}) : std::nullopt;
    const std::uint8_t* next_in = bytes(in);
    std::size_t in_left = in.size();
    std::uint8_t* next_out = bytes(out);
    std::size_t out_left = out.size();
    const auto result = BrotliDecoderDecompressStream(state_, &in_left, &next_in, &out_left, &next_out, nullptr);
    if (result == BROTLI_DECODER_RESULT_ERROR) return std::nullopt;
    done_ = result == BROTLI_DECODER_RESULT_SUCCESS;
    in.remove_prefix(in.size() - in_left);
    if (done_ && !in.empty()) return std::nullopt;  // something follows the stream
    return Step{.written = out.size() - out_left};
  }

  bool at_end() const override { return done_; }

 private:
  BrotliDecoderState* state_;
  bool done_ = false;
};

// Frames in a row (RFC 8878 3.1), each with a window of at most 8 MiB (RFC 9659). What the library makes of a frame
// depends on how it is cut: in one piece it also takes the formats that came before the standard, and any window; and
// where a piece begins inside a header, it may take the rest for a frame of its own. So it gets headers byte by byte.
class Zstd final : public Stage {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
    const std::size_t set = ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kWindowLog);
    check_invariant(ZSTD_isError(set) == 0, "zstd takes a window of 8 MiB");
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  std::optional<Step> step(std::string_view& in, std::span<char> out) override {
    ZSTD_outBuffer to{.dst = out.data(), .size = out.size(), .pos = 0};
    // Asked with nothing to read or to flush the library would begin a frame that is not there.
    while (to.pos < to.size && (!in.empty() || !flushed_)) {
      if (frame_read_ < magic_.size()) {
        magic_[frame_read_++] = in.front();
        in.remove_prefix(1);
        done_ = false;
        if (frame_read_ < magic_.size()) continue;
        if (!begins_a_frame(magic_) || !decompress({magic_.data(), magic_.size()}, to)) return std::nullopt;
        continue;
      }
      const auto taken = decompress(frame_read_ < kLongestHeader ? in.substr(0, 1) : in, to);
      if (!taken) return std::nullopt;
      in.remove_prefix(*taken);
      frame_read_ = done_ ? 0 : std::min(frame_read_ + *taken, kLongestHeader);
    }
    return Step{.written = to.pos};
  }

  bool at_end() const override { return done_; }

 private:
  static constexpr int kWindowLog = 23;
  static constexpr std::size_t kLongestHeader = 18;  // with its magic number
  using Magic = std::array<char, 4>;

  // A frame's number, or a skippable frame's (RFC 8878 3.1.1 and 3.1.2), both little-endian.
  static bool begins_a_frame(const Magic& magic) {
    const std::string_view text(magic.data(), magic.size());
    return text == "\x28\xB5\x2F\xFD" || ((magic[0] & 0xF0) == 0x50 && text.substr(1) == "\x2A\x4D\x18");
  }

  // How much of `in` was taken; nullopt: that is no frame.
  std::optional<std::size_t> decompress(std::string_view in, ZSTD_outBuffer& to) {
    ZSTD_inBuffer from{.src = in.data(), .size = in.size(), .pos = 0};
    const std::size_t left = ZSTD_decompressStream(stream_, &to, &from);
    if (ZSTD_isError(left) != 0) return std::nullopt;
    done_ = left == 0;
    flushed_ = done_ || to.pos < to.size;
    return from.pos;
  }

  ZSTD_DStream* stream_;
  Magic magic_{};
  std::size_t frame_read_ = 0;  // of the frame, as far as its header may go
  bool done_ = false;           // at the end of a frame
  bool flushed_ = true;         // it has given all that it can from what it got
};

}  // namespace

std::unique_ptr<Stage> make_stage(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::gzip:
    case ContentCoding::deflate:
      return std::make_unique<Inflate>(coding);
    case ContentCoding::br:
      return std::make_unique<Brotli>();
    case ContentCoding::zstd:
      return std::make_unique<Zstd>();
  }
  return nullptr;
}

}  // namespace fuseboard::net
