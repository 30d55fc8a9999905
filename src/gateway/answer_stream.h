// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// One streamed answer on its way through: the upstream's bytes in, the caller's bytes out. No I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fuseboard/classify/transport.h"
#include "fuseboard/classify/user_rules.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/time.h"
#include "gateway/splice.h"
#include "llm/dialect.h"
#include "llm/stream_reader.h"
#include "llm/stream_writer.h"
#include "net/sse.h"

namespace fuseboard::gateway {

struct StreamTerms {
  llm::Endpoint from = llm::Endpoint::chat_completions;  // whose words come in
  llm::Endpoint to = llm::Endpoint::chat_completions;    // and go out; another one only where both translate
  std::size_t choices = 1;
  bool include_usage = false;     // the caller asked for usage, or its dialect always says it
  bool hide_usage = false;        // it was asked for without the caller, who must not see it
  bool skip_malformed = false;    // count what is no event and go on [STR-7]
  bool retain = false;            // keep the text, for its recovery by another target
  std::size_t request_bytes = 0;  // some providers repeat the request before they answer
  const UserRules* rules = nullptr;
  std::int64_t created = 0;  // seconds since 1970, for answers whose dialect does not say when they were made
};

// What the caller has of an answer that was handed on, for its recovery if it breaks off.
struct Delivered {
  std::string text;                                  // all of it, while `whole`
  std::uint64_t events = 0;                          // of any kind
  std::uint64_t pieces = 0;                          // of these, such with content: about as many tokens
  bool whole = true;                                 // `text` is the whole answer so far: plain text, within the bound
  std::optional<llm::RecoveryPoint> recovery_point;  // where in the caller's stream it stands

  static constexpr std::size_t kMaxText = std::size_t{256} << 10;
};

// An answer in the caller's own dialect passes byte for byte; another one, or one that recovers an answer of somebody
// else, is written again. Loop thread only.
class AnswerStream {
 public:
  AnswerStream(TimePoint now, const StreamTerms& terms);
  // One that recovers what was delivered, which must outlive it and be told by deliver() alone.
  AnswerStream(TimePoint now, const StreamTerms& terms, const Delivered& delivered, Splice splice);

  enum class Reading : std::uint8_t {
    continues,
    complete,
    failed,    // see verdict()
    mismatch,  // it does not fit what was delivered
  };
  // Takes in bytes and adds what they mean to the caller to out().
  Reading read(TimePoint now, std::string_view bytes);
  // No more bytes will come; `clean` says that the upstream ended its body, and that nothing broke. What is missing of
  // a complete answer's formal end is added to out() [STR-2].
  Reading end(bool clean);

  // What can be handed on; the caller of this class clears it. Before the first content it is only held back.
  std::string& out() noexcept { return out_; }
  bool content_seen() const noexcept { return reader_->content_seen(); }
  // Accounts for out(), which is being handed on now.
  void deliver(Delivered& delivered);
  // It broke off: where its recovery may begin.
  void note_end(Delivered& delivered) const;

  // The verdict if nothing more came; nullopt: a complete answer.
  std::optional<Failure> verdict() const;
  // Whether it broke the dialect's rules, which its target may do again at any time.
  bool malformed() const noexcept { return malformed_; }
  // Complete, but withheld by the provider's safety system before any content.
  bool filtered() const noexcept { return !content_seen() && reader_->filtered(); }
  // The upstream's own words for what broke it, as an event of the caller's dialect; empty: none.
  std::string_view error_event() const noexcept { return error_event_; }
  const llm::ErrorDetails& error() const noexcept { return reader_->error(); }
  const llm::Usage& usage() const noexcept { return reader_->usage(); }
  const llm::SeenOutput& seen() const noexcept { return reader_->seen(); }
  std::string_view id() const noexcept { return reader_->id(); }
  // Whether the caller reads a stream that was written here.
  bool rewrites() const noexcept { return writer_ != nullptr; }
  std::uint64_t skipped() const noexcept { return skipped_; }
  // When it last said something. Comments, pings and empty events are nothing by themselves, but while a thought or a
  // call is under way they say that it is [STR-3].
  TimePoint last_event() const noexcept { return last_event_; }
  // Whether it has shown that the model works, if nothing else.
  bool worked() const noexcept { return worked_; }

 private:
  Reading read_event(TimePoint now, const net::SseEvent& event);
  bool relay(const net::SseEvent& event);
  bool write_deltas();
  void write(const llm::Delta& delta);
  // False: the text does not fit what was delivered.
  bool take_text(const llm::Delta& delta);
  bool end_text();
  void write_text(const llm::Delta& delta);
  Reading finish();
  Reading close();
  bool ends_by_itself() const noexcept;
  llm::Usage usage_for_caller(llm::Usage usage) const noexcept;

  const StreamTerms terms_;
  net::SseParser parser_;
  std::unique_ptr<llm::StreamReader> reader_;
  std::unique_ptr<llm::StreamWriter> writer_;  // null: bytes pass as they are
  std::optional<Splice> splice_;
  std::uint64_t said_before_ = 0;  // tokens of the answer that this one recovers, about
  std::string out_;
  std::string text_;  // of out_, where it is retained
  std::string error_event_;
  std::uint64_t events_ = 0;   // that had data
  std::uint64_t pieces_ = 0;   // of these, such with content
  std::uint64_t handed_ = 0;   // of those, accounted for by deliver()
  std::uint64_t skipped_ = 0;  // malformed events
  TimePoint last_event_;
  bool more_than_text_ = false;  // written into an answer that is being recovered
  bool malformed_ = false;
  bool worked_ = false;
};

}  // namespace fuseboard::gateway
