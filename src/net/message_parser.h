// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Private to net: Beast's HTTP/1 parser, filling our own heads and handing out bodies without copying them.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "net/http.h"
#include "net/read_buffer.h"

namespace fuseboard::net {

enum class ParseStep : std::uint8_t { done, need_more, malformed, too_large };

struct HeadLimits {
  std::size_t bytes;
  std::size_t headers;
};

// One message. parse_head() until done, then next_body() until done.
template <bool kRequest>
class MessageParser final : public boost::beast::http::basic_parser<kRequest> {
  using Base = boost::beast::http::basic_parser<kRequest>;
  using Field = boost::beast::http::field;
  using Text = boost::beast::string_view;
  using Code = boost::beast::error_code;
  using Length = boost::optional<std::uint64_t>;

 public:
  using Head = std::conditional_t<kRequest, RequestHead, ResponseHead>;

  MessageParser(Head& head, HeadLimits limits) : head_(head), limits_(limits) {
    head_.headers.clear();
    if constexpr (kRequest) head_.target.clear();
    this->header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(limits.bytes, UINT32_MAX)));
    this->body_limit(boost::none);  // bodies are bounded by who collects them
  }

  ParseStep parse_head(ReadBuffer& in) {
    if (!this->got_some()) skip_empty_lines(in);
    if (kRequest && !this->got_some() && in.view() == "\r")
      return ParseStep::need_more;  // perhaps half of another empty line
    while (!in.empty() && !this->is_header_done()) {
      Code error;
      const std::size_t consumed = this->put(boost::asio::const_buffer(in.data(), in.size()), error);
      in.consume(consumed);
      parsed_ += consumed;
      if (error == boost::beast::http::error::need_more) break;
      if (error) return judge(error);
    }
    if (this->is_header_done()) return ParseStep::done;
    return parsed_ + in.size() >= limits_.bytes ? ParseStep::too_large : ParseStep::need_more;
  }

  // Decodes what `in` holds. `body` may be non-empty with every result; it is valid until the next in.room().
  ParseStep next_body(ReadBuffer& in, std::string_view& body) {
    body = {};
    char* end = nullptr;
    while (!this->is_done() && !in.empty() && !begins_last_chunk(in.view())) {
      piece_ = {};
      Code error;
      const std::size_t consumed = this->put(boost::asio::const_buffer(in.data(), in.size()), error);
      if (!piece_.empty()) {
        // Closes the gaps that chunk headers leave, so that one read gives one piece.
        if (body.empty()) {
          body = piece_;
          end = const_cast<char*>(piece_.data());  // points into `in`
        } else {
          std::memmove(end, piece_.data(), piece_.size());
          body = {body.data(), body.size() + piece_.size()};
        }
        end += piece_.size();
      }
      in.consume(consumed);
      if (error == boost::beast::http::error::need_more) break;
      if (error) return judge(error);
    }
    return this->is_done() ? ParseStep::done : ParseStep::need_more;
  }

  // The peer has closed: whether that completes the message.
  bool complete_at_end() {
    Code error;
    if (!this->is_done()) this->put_eof(error);
    return !error;
  }

  int version() const noexcept { return version_; }
  std::size_t transfer_encodings() const noexcept { return transfer_encodings_; }

 private:
  static ParseStep judge(const Code& error) {
    using E = boost::beast::http::error;
    return error == E::header_limit || error == E::buffer_overflow ? ParseStep::too_large : ParseStep::malformed;
  }

  // Beast 1.81 asserts that it sees the shortest last chunk, "0 CRLF CRLF", in one piece once it has seen its first
  // three bytes.
  bool begins_last_chunk(std::string_view bytes) const noexcept {
    return bytes.size() < 5 && bytes.front() == '0' && chunk_left_ == 0 && this->chunked();
  }

  // RFC 9112 2.2: an empty line before a request is ignored.
  static void skip_empty_lines(ReadBuffer& in) {
    if constexpr (kRequest) {
      while (in.view().starts_with("\r\n")) in.consume(2);
    }
  }

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, Code&) override {
    if constexpr (kRequest) {
      head_.method.assign(method.data(), method.size());
      head_.target.assign(target.data(), target.size());
    }
    version_ = version;
  }
  void on_response_impl(int code, Text, int version, Code&) override {
    if constexpr (!kRequest) head_.status = code;
    version_ = version;
  }
  void on_field_impl(Field field, Text name, Text value, Code& error) override {
    if (this->is_header_done()) return;  // a trailer: nobody asks for them, and they must not pass for headers
    if (head_.headers.size() >= limits_.headers) {
      error = boost::beast::http::error::header_limit;
      return;
    }
    if (field == Field::transfer_encoding) ++transfer_encodings_;
    head_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(Code&) override {}
  void on_body_init_impl(const Length&, Code&) override {}
  std::size_t on_body_impl(Text body, Code&) override { return take(body); }
  void on_chunk_header_impl(std::uint64_t size, Text, Code&) override { chunk_left_ = size; }
  std::size_t on_chunk_body_impl(std::uint64_t, Text body, Code&) override {
    chunk_left_ -= body.size();
    return take(body);
  }
  void on_finish_impl(Code&) override {}

  std::size_t take(Text body) noexcept {
    piece_ = {body.data(), body.size()};
    return body.size();
  }

  Head& head_;
  HeadLimits limits_;
  std::size_t parsed_ = 0;  // bytes of the head
  std::size_t transfer_encodings_ = 0;
  std::uint64_t chunk_left_ = 0;
  int version_ = 11;
  std::string_view piece_;
};

}  // namespace fuseboard::net
