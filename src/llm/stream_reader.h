// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reads the events of one streamed answer: when content begins, whether the answer is complete, what it used, and,
// where asked for, what it says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/classify/user_rules.h"
#include "fuseboard/core/outcome.h"
#include "llm/answer.h"
#include "llm/delta.h"
#include "llm/dialect.h"
#include "llm/stream_origin.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// What an event is. One that is several things at once is the first of: error, content, finish, usage, work, prelude.
enum class StreamPiece : std::uint8_t {
  prelude,    // a role, an empty delta, filter results: nothing a reader would see yet
  work,       // a sign that the model works, though there is nothing to read of it yet [STR-3]
  content,    // text, reasoning, a refusal, audio or a tool's arguments: what commits an answer [STR-4]
  finish,     // a finish reason and nothing else
  usage,      // the usage event at the end
  done,       // the formal end: [DONE], message_stop, response.completed
  error,      // an error object inside the stream
  malformed,  // not a JSON object, or more of something than is bounded [STR-7]
};
std::string_view name(StreamPiece piece) noexcept;

struct StreamReaderOptions {
  std::size_t choices = 1;  // how many were asked for: an answer that ends before all have begun is not complete
  UserRules rules{};        // win over the classifier's own
  bool deltas = false;      // fill deltas(): for translation
  bool text = false;        // fill text(): for keeping what was delivered
};

// One object for one stream, used by one thread at a time (any thread). With deltas and text off it keeps names, ids
// and a few bytes for each choice, never the text. Throws nothing but std::bad_alloc.
class StreamReader {
 public:
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;
  virtual ~StreamReader() = default;

  // One SSE event; `event` is its name, empty if it has none. Validates all of `data`: about 0.5 µs for a typical
  // event.
  virtual StreamPiece read(std::string_view event, std::string_view data) = 0;

  bool content_seen() const noexcept { return content_seen_; }
  // A thought or a call has begun that is not over: meanwhile a ping says that the model is at it [STR-3].
  virtual bool at_work() const noexcept { return false; }
  // The formal end came, or every choice has its finish reason [STR-2].
  virtual bool complete() const noexcept = 0;
  // The verdict if the stream ended now; nullopt: a complete answer. An error event wins over everything, then a
  // malformed one, then the missing end.
  virtual std::optional<Failure> at_end() const noexcept = 0;
  bool terminal_seen() const noexcept { return terminal_seen_; }

  const Usage& usage() const noexcept { return usage_; }
  // What the answer has said so far, whoever counts it.
  const SeenOutput& seen() const noexcept { return seen_; }
  std::string_view model() const noexcept { return model_; }
  std::string_view id() const noexcept { return id_; }
  std::int64_t created() const noexcept { return created_; }
  // In the provider's word, of the choice with this index; empty: none yet, or no such choice.
  virtual std::string_view finish_reason(std::size_t choice = 0) const noexcept;
  // The first choice was withheld by the provider's safety system.
  bool filtered() const noexcept;
  // Of the first error event; empty without one.
  const ErrorDetails& error() const noexcept { return error_; }

  // Of the last event read, valid until the next read(). Of several choices that with index 0 alone, as the dialects
  // that a translation goes between have no more in common. A half character at the end of an event comes with the
  // next.
  std::string_view text() const noexcept { return text_; }
  // Of chat completions and messages; the other endpoints are not translated.
  std::span<const Delta> deltas() const noexcept { return deltas_; }

  // Whether nothing but plain text of one choice has come so far: what may be continued by another target [STR-5].
  bool plain_text_only() const noexcept { return plain_text_only_; }
  // Where a stream that was relayed as it is stands: of chat completions and messages, the only ones that
  // make_recovery_writer() takes. `include_usage` is not seen here: the caller of this knows it.
  virtual RecoveryPoint recovery_point() const;

 protected:
  explicit StreamReader(StreamReaderOptions options) noexcept : options_(std::move(options)) {}

  void add(Delta delta) { deltas_.push_back(std::move(delta)); }

  StreamReaderOptions options_;
  Usage usage_{};
  SeenOutput seen_{};
  std::string model_{};
  std::string id_{};
  std::int64_t created_ = 0;
  std::string finish_reason_{};  // of choice 0
  ErrorDetails error_{};
  std::string text_{};
  std::vector<Delta> deltas_{};
  bool content_seen_ = false;
  bool terminal_seen_ = false;
  bool plain_text_only_ = true;
};

// For an endpoint whose streams nobody here knows (`other`, and those that have none): every event is content, the
// answer is complete wherever it ends. Of the text of completions and of usage at the top of an event is read what is
// there.
std::unique_ptr<StreamReader> make_stream_reader(Endpoint endpoint, StreamReaderOptions options = {});

}  // namespace fuseboard::llm
