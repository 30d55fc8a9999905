// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/answer_stream.h"

#include <algorithm>
#include <utility>

#include "fuseboard/classify/transport.h"
#include "gateway/hidden_usage.h"
#include "json/scan.h"

namespace fuseboard::gateway {
namespace {

// How much of a stream may be held back before its first content, besides what repeats the request: the responses
// endpoint says all of it twice, instructions and tools included, and JSON may be written in longer and shorter ways.
constexpr std::size_t kMaxHeldBack = std::size_t{256} << 10;
constexpr std::size_t kMaxRepetition = 4;
// Of one event: images come in one piece.
constexpr std::size_t kMaxEvent = std::size_t{16} << 20;

std::unique_ptr<llm::StreamReader> make_reader(const StreamTerms& terms, bool deltas) {
  llm::StreamReaderOptions options{.choices = terms.choices, .rules = {}, .deltas = deltas, .text = terms.retain};
  if (terms.rules != nullptr) options.rules = *terms.rules;
  return llm::make_stream_reader(terms.from, std::move(options));
}

// What ends a stream that said all there was to say, but for this.
std::string_view terminal_event(llm::Endpoint endpoint) {
  return llm::translates(endpoint) ? llm::traits(*llm::dialect_of(endpoint)).stream_end : std::string_view();
}

// Neither a JSON object nor the word that ends OpenAI's streams.
bool is_broken(std::string_view data) {
  const std::size_t begin = std::min(data.find_first_not_of(" \t\r\n"), data.size());
  if (data.substr(begin).starts_with("[DONE]")) return false;
  return begin == data.size() || data[begin] != '{' || json::validate(data);
}

}  // namespace

AnswerStream::AnswerStream(TimePoint now, const StreamTerms& terms)
    : terms_(terms), parser_(kMaxEvent), reader_(make_reader(terms, terms.from != terms.to)), last_event_(now) {
  if (terms.from != terms.to) {
    writer_ = llm::make_stream_writer(llm::dialect_of(terms.to).value(),
                                      {.created = terms.created, .include_usage = terms.include_usage});
  }
}

AnswerStream::AnswerStream(TimePoint now, const StreamTerms& terms, const Delivered& delivered, Splice splice)
    : terms_(terms),
      parser_(kMaxEvent),
      reader_(make_reader(terms, true)),
      writer_(llm::make_recovery_writer(llm::dialect_of(terms.to).value(), *delivered.recovery_point)),
      splice_(std::move(splice)),
      said_before_(splice_->mode() == Splice::Mode::continues ? delivered.pieces : 0),
      last_event_(now) {}

AnswerStream::Reading AnswerStream::read(TimePoint now, std::string_view bytes) {
  parser_.feed(bytes);
  net::SseEvent event;
  for (;;) {
    switch (parser_.next(event)) {
      case net::SseParser::Next::need_more:
        return Reading::continues;
      case net::SseParser::Next::too_large:
        malformed_ = true;
        return Reading::failed;
      case net::SseParser::Next::event:
        break;
    }
    const Reading reading = read_event(now, event);
    if (reading != Reading::continues) return reading;
    if (!content_seen() && out_.size() > kMaxHeldBack + kMaxRepetition * terms_.request_bytes) {
      malformed_ = true;
      return Reading::failed;
    }
  }
}

AnswerStream::Reading AnswerStream::read_event(TimePoint now, const net::SseEvent& event) {
  if (!event.has_data) {
    if (reader_->at_work()) last_event_ = now;
    if (writer_ == nullptr) out_ += event.raw;  // comments and pings keep the caller's own timeouts quiet
    return Reading::continues;
  }
  ++events_;
  if (terms_.skip_malformed && ends_by_itself() && is_broken(event.data)) {
    ++skipped_;
    return Reading::continues;
  }
  const bool was_complete = reader_->complete();
  const std::size_t out_before = out_.size();
  const llm::StreamPiece piece = reader_->read(event.event, event.data);
  if (piece != llm::StreamPiece::prelude) last_event_ = now;
  if (piece == llm::StreamPiece::work || piece == llm::StreamPiece::content) worked_ = true;
  switch (piece) {
    case llm::StreamPiece::malformed:
      if (was_complete) return close();  // what comes behind the finish reason adds nothing to the answer
      malformed_ = true;                 // never forwarded as it is [STR-7]
      return Reading::failed;
    case llm::StreamPiece::error:
      if (terms_.from == terms_.to) error_event_ = event.raw;
      return Reading::failed;
    case llm::StreamPiece::done:
      if (!relay(event)) return Reading::mismatch;
      return finish();
    case llm::StreamPiece::content:
    case llm::StreamPiece::work:
    case llm::StreamPiece::prelude:
    case llm::StreamPiece::finish:
    case llm::StreamPiece::usage:
      break;
  }
  if (!relay(event)) return Reading::mismatch;
  if (piece == llm::StreamPiece::content && out_.size() > out_before) ++pieces_;
  return malformed_ ? Reading::failed : Reading::continues;
}

// False: it does not fit what was delivered.
bool AnswerStream::relay(const net::SseEvent& event) {
  if (writer_ != nullptr) return write_deltas();
  if (terms_.hide_usage) {
    append_without_usage(out_, event);
  } else {
    out_ += event.raw;
  }
  if (terms_.retain) text_ += reader_->text();
  return true;
}

bool AnswerStream::write_deltas() {
  for (const llm::Delta& delta : reader_->deltas()) {
    switch (delta.kind) {
      case llm::Delta::Kind::text:
        if (!take_text(delta)) return false;
        break;
      case llm::Delta::Kind::usage: {
        llm::Delta usage = delta;
        usage.usage = usage_for_caller(delta.usage);
        write(usage);
        break;
      }
      case llm::Delta::Kind::begin:
      case llm::Delta::Kind::reasoning:
      case llm::Delta::Kind::signature:
        // In the middle of the text a beginning, and thoughts about it, come too late.
        if (!splice_) write(delta);
        break;
      case llm::Delta::Kind::refusal:
      case llm::Delta::Kind::tool_begin:
      case llm::Delta::Kind::tool_arguments:
      case llm::Delta::Kind::finish:
        if (!end_text()) return false;
        if (delta.kind != llm::Delta::Kind::finish) more_than_text_ = true;
        write(delta);
        break;
    }
  }
  return true;
}

// What cannot be translated to the caller's dialect within bounds is as bad as what cannot be read.
void AnswerStream::write(const llm::Delta& delta) {
  if (!writer_->write(delta, out_)) malformed_ = true;
}

bool AnswerStream::take_text(const llm::Delta& delta) {
  if (!splice_) {
    write_text(delta);
    return true;
  }
  llm::Delta fresh{.kind = llm::Delta::Kind::text};
  if (!splice_->take(delta.text, fresh.text)) return false;
  write_text(fresh);
  return true;
}

bool AnswerStream::end_text() {
  if (!splice_) return true;
  llm::Delta fresh{.kind = llm::Delta::Kind::text};
  if (!splice_->end(fresh.text)) return false;
  write_text(fresh);
  return true;
}

void AnswerStream::write_text(const llm::Delta& delta) {
  if (delta.text.empty()) return;
  write(delta);
  if (terms_.retain) text_ += delta.text;
}

// Streams of unknown kinds end where their bytes do.
bool AnswerStream::ends_by_itself() const noexcept {
  return llm::translates(terms_.from) || terms_.from == llm::Endpoint::responses;
}

AnswerStream::Reading AnswerStream::end(bool clean) {
  if (!ends_by_itself()) {
    if (!clean) return Reading::failed;
    out_ += parser_.leftover();
    return Reading::complete;
  }
  return finish();
}

AnswerStream::Reading AnswerStream::finish() {
  if (verdict()) return Reading::failed;
  return close();
}

AnswerStream::Reading AnswerStream::close() {
  if (!end_text()) return Reading::mismatch;
  if (writer_ != nullptr) {
    writer_->end(out_);
  } else if (!reader_->terminal_seen()) {
    out_ += terminal_event(terms_.to);
  }
  return Reading::complete;
}

void AnswerStream::deliver(Delivered& delivered) {
  delivered.events += std::exchange(events_, 0);
  delivered.pieces += pieces_ - std::exchange(handed_, pieces_);
  if (!terms_.retain || !delivered.whole) return;
  // Thoughts are left out of a recovery.
  const bool only_text = splice_ ? !more_than_text_ : reader_->plain_text_only();
  // An answer that has said why it ended is not to be recovered.
  delivered.whole = only_text && !reader_->complete() && delivered.text.size() + text_.size() <= Delivered::kMaxText;
  if (delivered.whole) {
    delivered.text += text_;
  } else {
    std::string().swap(delivered.text);  // gives the memory back
  }
  text_.clear();
}

// A recovery speaks under the name of the one who began.
void AnswerStream::note_end(Delivered& delivered) const {
  delivered.recovery_point = writer_ != nullptr ? writer_->recovery_point() : reader_->recovery_point();
  delivered.recovery_point->origin.include_usage = terms_.include_usage;
}

std::optional<Failure> AnswerStream::verdict() const {
  if (malformed_) return classify_transport(TransportFault::malformed);
  return reader_->at_end();
}

// What the caller has of the first answer was output there, and input here.
llm::Usage AnswerStream::usage_for_caller(llm::Usage usage) const noexcept {
  const std::uint64_t moved = std::min(said_before_, usage.prompt);
  usage.prompt -= moved;
  usage.completion += moved;
  return usage;
}

}  // namespace fuseboard::gateway
