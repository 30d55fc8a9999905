// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The two directions of one request: its body in, its answer out.
#include <array>
#include <charconv>

#include "net/server_connection.h"

namespace fuseboard::net {
namespace {

std::string_view chunk_header(std::array<char, 20>& space, std::size_t size) {
  char* const end = std::to_chars(space.data(), space.data() + 16, size, 16).ptr;
  end[0] = '\r';
  end[1] = '\n';
  return {space.data(), static_cast<std::size_t>(end + 2 - space.data())};
}

constexpr bool status_has_body(int status) noexcept { return status >= 200 && status != 204 && status != 304; }

}  // namespace

bool ServerConnection::expects_continue() const noexcept {
  return parser_->version() >= 11 && head_.headers.has_token("expect", "100-continue");
}

// Takes what has been received; an error ends the body for good.
std::optional<BodyError> ServerConnection::collect(Body& body) {
  std::string_view piece;
  const ParseStep step = parser_->next_body(in(), piece);
  if (piece.size() > server_->options.max_body - body.size()) return BodyError::too_large;
  body.append(piece);
  if (step == ParseStep::malformed || step == ParseStep::too_large) return BodyError::malformed;
  return std::nullopt;
}

Task<std::expected<Body, BodyError>> ServerConnection::read_body() {
  Body body{BodyMemory::Share(server_->options.body_memory)};
  std::optional<BodyError> error;
  const auto length = parser_->content_length();
  if (length && *length > server_->options.max_body) {
    error = BodyError::too_large;
  } else if (length && in().size() >= *length && body.share().try_grow(*length)) {
    error = collect(body);
  } else if (!parser_->is_done()) {
    error = co_await rest_of_body(body);
  }
  expect_nothing();
  if (error) {
    body_broken_ = true;
    co_return std::unexpected(*error);
  }
  shrink_buffer();
  watch();  // whether the caller leaves
  co_return body;
}

// How much memory the body should have, in all, to go on: no more ahead than its caller has already shown to mean it,
// who may only claim that a lot is to come. It also bounds what is read in one turn of the loop.
std::size_t ServerConnection::wanted_room(const Body& body) const {
  static constexpr std::size_t kMinStep = std::size_t{128} << 10;  // more than can have been read ahead
  static constexpr std::size_t kMaxStep = std::size_t{1} << 20;
  static_assert(kMinStep > ReadBuffer::kBulk);
  const std::size_t step = std::clamp(body.size(), kMinStep, kMaxStep);
  const std::uint64_t most = parser_->content_length() ? *parser_->content_length() : server_->options.max_body;
  return std::min<std::size_t>(body.size() + step, most);
}

// Takes what is there, for which the body has the memory. Where the length is known, what has not been read ahead comes
// straight from the system.
std::optional<BodyError> ServerConnection::take_more(Body& body) {
  if (const auto error = collect(body)) return error;
  const auto length = parser_->content_length();
  if (!length || request_read() || read_pending()) return std::nullopt;
  body.reserve(*length);  // all of it: pages that nothing is written to cost nothing
  body.commit(read_into(body.room().first(body.share().bytes() - body.size())));
  body_read_ = body.size() == *length;
  return std::nullopt;
}

// Of a body that has not come whole.
Task<std::optional<BodyError>> ServerConnection::rest_of_body(Body& body) {
  const ServerOptions& options = server_->options;
  TimePoint began = loop().now();
  TimePoint last = began;  // when something came
  bool invite = expects_continue() && in().empty();
  std::size_t undecoded = 0;  // what the last round left: the beginning of a chunk header
  while (true) {
    const std::size_t wanted = wanted_room(body);
    if (!body.share().try_grow(wanted)) {
      expect_nothing();
      const TimePoint asked = loop().now();
      const TimePoint by = saturating_add(asked, options.body_memory_wait);
      if (!co_await body.share().grow(loop(), wanted, by)) co_return lost() ? BodyError::gone : BodyError::no_memory;
      const Duration waited = elapsed(asked, loop().now());  // which is not the caller's doing
      began = saturating_add(began, waited);
      last = saturating_add(last, waited);
    }
    const std::size_t before = body.size();
    if (auto error = take_more(body)) co_return error;
    if (request_read()) co_return std::nullopt;
    if (lost() || read_error()) co_return BodyError::gone;
    const TimePoint now = loop().now();
    if (body.size() > before || in().size() > undecoded) last = now;
    undecoded = in().size();
    const TimePoint due = std::min(saturating_add(last, options.body_timeout), options.body_due(began, body.size()));
    if (now >= due) co_return BodyError::timeout;
    if (std::exchange(invite, false) && !co_await send(Pieces("HTTP/1.1 100 Continue\r\n\r\n"))) {
      co_return BodyError::gone;
    }
    expect_by(due);
    if (parser_->content_length()) {
      arm_readable();
    } else if (!arm_read()) {  // a chunk header or trailer that fills the buffer
      co_return BodyError::malformed;
    }
    co_await event();
  }
}

// Whether the request has been read to its end, throwing away what has been received of it.
bool ServerConnection::body_complete() {
  std::string_view ignored;
  if (body_broken_ || !parser_ || !parser_->is_header_done()) return false;
  return request_read() || parser_->next_body(in(), ignored) == ParseStep::done;
}

Framing ServerConnection::begin_answer(const ResponseHead& head, Framing::Kind kind, std::size_t size) {
  check_invariant(answer_ == Answer::none, "a request is answered once");
  answer_ = Answer::streaming;
  const bool old = parser_ && parser_->is_header_done() && parser_->version() < 11;
  framing_ = {.kind = kind, .size = size};
  if (kind == Framing::chunked && old) framing_.kind = Framing::until_close;
  if (!status_has_body(head.status)) framing_.kind = Framing::no_body;
  must_close_ = must_close_ || share_.draining || loop().stopping() || !body_complete() || !parser_->keep_alive() ||
                framing_.kind == Framing::until_close || head.headers.has_token("connection", "close");
  framing_.close = must_close_;
  framing_.keep_alive_1_0 = old && !must_close_;
  return framing_;
}

Task<bool> ServerConnection::respond(ResponseHead head, std::string body) {
  if (lost()) {
    answer_ = Answer::complete;
    co_return false;
  }
  const Framing framing = begin_answer(head, Framing::length, body.size());
  out_.clear();
  append_response_head(out_, head, framing);
  const bool silent = is_head_request_ || framing.kind == Framing::no_body;
  Pieces out(out_, silent ? std::string_view() : body);
  write_some(out);
  if ((!out.empty() || write_error()) && !co_await send(out)) co_return false;
  answer_ = Answer::complete;
  co_return true;
}

Task<bool> ServerConnection::start(ResponseHead head) {
  if (lost()) {
    answer_ = Answer::complete;
    co_return false;
  }
  const Framing framing = begin_answer(head, Framing::chunked, 0);
  std::string text;  // not out_, which would stay for as long as the stream lasts
  append_response_head(text, head, framing);
  wait_long();  // a stream may last for minutes, in which the caller says nothing
  co_return co_await send(Pieces(text));
}

Task<bool> ServerConnection::write(std::string_view bytes) {
  check_invariant(answer_ != Answer::none, "a stream is started before it is written to");
  if (lost() || answer_ == Answer::complete) co_return false;
  if (bytes.empty() || is_head_request_ || framing_.kind == Framing::no_body) co_return true;
  std::array<char, 20> space;
  Pieces out =
      framing_.kind == Framing::chunked ? Pieces(chunk_header(space, bytes.size()), bytes, "\r\n") : Pieces(bytes);
  write_some(out);
  if (out.empty() && !write_error()) co_return true;
  co_return co_await send(out);
}

Task<bool> ServerConnection::finish() {
  if (lost() || answer_ != Answer::streaming) co_return false;
  if (framing_.kind == Framing::chunked && !is_head_request_ && !co_await send(Pieces("0\r\n\r\n"))) co_return false;
  answer_ = Answer::complete;
  co_return true;
}

// Waits until the system has taken everything; the reader's pace is ours [STR-8]. Cuts the connection when it fails.
Task<bool> ServerConnection::send(Pieces out) {
  if (written()) write_some(out);
  const bool whole = framing_.kind == Framing::length || framing_.kind == Framing::no_body;
  const Duration patience = whole ? server_->options.write_timeout : server_->options.stream_write_timeout;
  std::size_t left = out.size() + 1;
  while (!out.empty() && !write_error() && !lost()) {
    if (out.size() < left) expect_by(saturating_add(loop().now(), patience));
    if (expired()) break;
    left = out.size();
    if (in_request_) arm_read();
    co_await event();
    if (written()) write_some(out);
  }
  expect_nothing();
  if (out.empty() && !write_error() && !lost()) co_return true;
  answer_ = Answer::complete;
  close();
  co_return false;
}

}  // namespace fuseboard::net
