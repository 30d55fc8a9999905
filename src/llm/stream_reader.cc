// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream_reader.h"

#include <algorithm>
#include <utility>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/transport.h"
#include "json/scan.h"
#include "llm/anthropic/messages.h"
#include "llm/error_details.h"
#include "llm/event_reader.h"
#include "llm/finish_reason.h"
#include "llm/openai_chat/chat_completions.h"
#include "llm/openai_responses/responses.h"
#include "llm/seen_text.h"
#include "llm/usage_counts.h"

namespace fuseboard::llm {
namespace {

class UnknownStreamReader final : public StreamReader {
 public:
  explicit UnknownStreamReader(StreamReaderOptions options) noexcept : StreamReader(std::move(options)) {}

  StreamPiece read(std::string_view, std::string_view data) override {
    content_seen_ = true;
    plain_text_only_ = false;  // whatever it is
    if (!data.starts_with("[DONE]")) ++seen_.pieces;
    if (data.starts_with('{') && !json::validate(data)) look_at(data);
    return StreamPiece::content;
  }
  bool complete() const noexcept override { return true; }
  std::optional<Failure> at_end() const noexcept override { return std::nullopt; }

 private:
  void look_at(std::string_view data) {
    json::Document document(data);
    document.root().each_member([this](std::string_view name, const json::Value& value) {
      if (name == "usage" && counts_.update(value)) usage_ = counts_.usage();
      if (name == "choices") value.each_element([this](const json::Value& choice) { take(choice); });
    });
  }
  void take(const json::Value& choice) { seen_.bytes += member_bytes(choice, {"text"}); }

  UsageCounts counts_{};
};

}  // namespace

std::string_view name(StreamPiece piece) noexcept {
  switch (piece) {
    case StreamPiece::prelude:
      return "prelude";
    case StreamPiece::work:
      return "work";
    case StreamPiece::content:
      return "content";
    case StreamPiece::finish:
      return "finish";
    case StreamPiece::usage:
      return "usage";
    case StreamPiece::done:
      return "done";
    case StreamPiece::error:
      return "error";
    case StreamPiece::malformed:
      return "malformed";
  }
  return "";
}

std::string_view StreamReader::finish_reason(std::size_t choice) const noexcept {
  return choice == 0 ? std::string_view(finish_reason_) : std::string_view();
}

bool StreamReader::filtered() const noexcept { return says_filtered(finish_reason_); }

RecoveryPoint StreamReader::recovery_point() const {
  return {.origin = {.id = id_, .model = model_, .created = created_}, .text_open = content_seen_};
}

StreamPiece JsonStreamReader::read(std::string_view event, std::string_view data) {
  text_.clear();
  deltas_.clear();
  const std::size_t begin = std::min(data.find_first_not_of(" \t\r\n"), data.size());
  // As OpenAI's own SDKs look for it; servers that speak other dialects too end with it everywhere.
  if (data.substr(begin).starts_with("[DONE]")) {
    if (!std::exchange(terminal_seen_, true)) end();
    return StreamPiece::done;
  }
  if (begin == data.size() || data[begin] != '{' || json::validate(data)) {
    malformed_ = true;
    return StreamPiece::malformed;
  }
  StreamPiece piece = walk(event, data);
  if (piece == StreamPiece::prelude && at_work()) piece = StreamPiece::work;
  if (piece == StreamPiece::content) {
    content_seen_ = true;
    ++seen_.pieces;
  }
  if (piece == StreamPiece::done) terminal_seen_ = true;
  if (piece == StreamPiece::error) keep_error(data);
  if (piece == StreamPiece::malformed) malformed_ = true;
  if (piece == StreamPiece::error || piece == StreamPiece::malformed) {
    text_.clear();
    deltas_.clear();
  }
  return piece;
}

void JsonStreamReader::keep_error(std::string_view data) {
  if (failure_) return;
  error_ = read_error(data);
  const auto judged = fuseboard::classify(CallEvidence{.status = 200, .body = data}, options_.rules).failure;
  failure_ = judged.value_or(Failure::of(Category::service_unavailable));
}

std::optional<Failure> JsonStreamReader::at_end() const noexcept {
  if (malformed_ && !failure_) return classify_transport(TransportFault::malformed);
  // An end without an answer before it is as unusable as a plain answer without a choice.
  if (!failure_ && terminal_seen_ && !begun()) return Failure::of(Category::service_unavailable);
  return classify_stream_end(complete(), failure_);
}

std::unique_ptr<StreamReader> make_stream_reader(Endpoint endpoint, StreamReaderOptions options) {
  switch (endpoint) {
    case Endpoint::chat_completions:
      return make_chat_reader(std::move(options));
    case Endpoint::messages:
      return make_messages_reader(std::move(options));
    case Endpoint::responses:
      return make_responses_reader(std::move(options));
    case Endpoint::embeddings:
    case Endpoint::count_tokens:
    case Endpoint::other:
      break;
  }
  return std::make_unique<UnknownStreamReader>(std::move(options));
}

}  // namespace fuseboard::llm
