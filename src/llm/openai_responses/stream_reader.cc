// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of OpenAI's Responses API.
#include <algorithm>
#include <utility>

#include "json/string_decoder.h"
#include "llm/error_details.h"
#include "llm/event_reader.h"
#include "llm/openai_responses/response.h"
#include "llm/openai_responses/responses.h"
#include "llm/seen_text.h"

namespace fuseboard::llm {
namespace {

// Of thoughts, and of tools that run at the provider. That the response as a whole was begun or queued tells no more
// than the head of the answer.
bool tells_progress(std::string_view type) {
  return type.starts_with("response.reasoning") || type.starts_with("response.mcp_list_tools.") ||
         type.contains("_call.") || type.contains("_call_");
}

class ResponsesReader final : public JsonStreamReader {
 public:
  explicit ResponsesReader(StreamReaderOptions options) noexcept : JsonStreamReader(std::move(options)) {}

  bool complete() const noexcept override { return terminal_seen_; }
  bool at_work() const noexcept override { return open_items_ > 0; }

 private:
  struct Event;

  StreamPiece walk(std::string_view event, std::string_view data) override;
  bool begun() const noexcept override { return begun_; }

  Event read_event(std::string_view event, const json::Value& root);
  void take_response(const json::Value& response);
  void count(const Event& event) noexcept;
  StreamPiece act(const Event& event);
  StreamPiece begin_item(const Event& event) noexcept;
  StreamPiece end_item(const Event& event) noexcept;
  StreamPiece content(bool plain) noexcept;

  json::StringDecoder decoder_{};
  std::uint64_t told_in_deltas_ = 0;  // bytes
  std::uint64_t told_in_parts_ = 0;
  std::uint64_t told_in_items_ = 0;
  std::uint64_t told_whole_ = 0;
  std::uint64_t open_items_ = 0;  // that are no messages: thoughts, calls
  bool begun_ = false;
};

// What an event says, whatever the order of its members. Views are valid as long as the document is open.
struct ResponsesReader::Event {
  std::string_view type{};
  std::string_view delta{};      // literal
  std::string_view text{};       // literal
  std::uint64_t whole = 0;       // bytes of a part that is told once more when it is done
  std::string_view item_type{};  // of the item that was added or is done
  std::uint64_t item = 0;        // its bytes
  bool has_delta = false;        // also one that is no string
  bool is_error = false;
};

ResponsesReader::Event ResponsesReader::read_event(std::string_view event, const json::Value& root) {
  Event read;
  root.each_member([&](std::string_view name, const json::Value& value) {
    if (marks_error(name, value)) {
      read.is_error = true;
    } else if (name == "type") {
      read.type = value.text();
    } else if (name == "delta") {
      read.delta = value.literal();
      read.has_delta = value.has_content();
    } else if (name == "text") {
      read.text = value.literal();
      read.whole += text_bytes(read.text);
    } else if (name == "arguments" || name == "refusal" || name == "input" || name == "code") {
      read.whole += value_bytes(value);
    } else if (name == "response") {
      take_response(value);
    } else if (name == "item") {
      value.each_member([&](std::string_view field, const json::Value& member) {
        if (field == "type") read.item_type = member.text();
      });
      read.item = item_bytes(value);
    }
  });
  if (read.type.empty()) read.type = event;
  return read;
}

void ResponsesReader::take_response(const json::Value& response) {
  ResponseObject read = read_response(response);
  if (id_.empty()) id_ = std::move(read.id);
  if (model_.empty()) model_ = std::move(read.model);
  if (created_ == 0) created_ = read.created;
  if (read.usage.known) usage_ = read.usage;
  finish_reason_ = std::move(read.finish_reason);
  told_whole_ = read.seen.bytes;
  begun_ = true;
}

// All is said up to four times: in deltas, when a part is done, when its item is, and in the response at the end. Some
// servers leave out one or the other.
void ResponsesReader::count(const Event& event) noexcept {
  const bool is_sound = event.type.ends_with("audio.delta");
  if (event.type.ends_with(".delta") && !is_sound) told_in_deltas_ += text_bytes(event.delta);
  if (event.type == "response.output_item.done") {
    told_in_items_ += event.item;
  } else if (event.type.ends_with(".done")) {
    told_in_parts_ += event.whole;
  }
  seen_.bytes = std::max({told_in_deltas_, told_in_parts_, told_in_items_, told_whole_});
}

StreamPiece ResponsesReader::walk(std::string_view event, std::string_view data) {
  json::Document document(data);
  const Event read = read_event(event, document.root());
  count(read);
  return read.is_error || read.type == "response.failed" ? StreamPiece::error : act(read);
}

StreamPiece ResponsesReader::act(const Event& event) {
  if (event.type == "response.output_text.delta") {
    if (options_.text) decoder_.append(text_, event.delta);
    return event.has_delta ? content(true) : StreamPiece::prelude;
  }
  if (event.type.ends_with(".delta")) return event.has_delta ? content(false) : StreamPiece::prelude;
  if (event.type == "response.completed" || event.type == "response.incomplete") return StreamPiece::done;
  if (event.type == "response.output_item.added") return begin_item(event);
  if (event.type == "response.output_item.done") return end_item(event);
  // Servers that send no deltas, and what comes in pieces of another kind.
  if (event.type == "response.output_text.done") {
    return event.text.size() > 2 ? content(true) : StreamPiece::prelude;
  }
  if (event.type == "response.output_text.annotation.added" || event.type.ends_with(".partial_image")) {
    return content(false);
  }
  return tells_progress(event.type) ? StreamPiece::work : StreamPiece::prelude;
}

// A message that begins says nothing yet, as the role in other dialects; thoughts and calls are what a reader waits
// for.
StreamPiece ResponsesReader::begin_item(const Event& event) noexcept {
  begun_ = true;
  if (event.item_type == "message") return StreamPiece::prelude;
  plain_text_only_ = false;
  ++open_items_;
  return StreamPiece::work;
}

// Of a server that sends no deltas, a call is news when it is whole.
StreamPiece ResponsesReader::end_item(const Event& event) noexcept {
  if (event.item_type == "message") return StreamPiece::prelude;
  if (open_items_ > 0) --open_items_;
  return event.item_type == "reasoning" ? StreamPiece::work : content(false);
}

StreamPiece ResponsesReader::content(bool plain) noexcept {
  begun_ = true;
  if (!plain) plain_text_only_ = false;
  return StreamPiece::content;
}

}  // namespace

std::unique_ptr<StreamReader> make_responses_reader(StreamReaderOptions options) {
  return std::make_unique<ResponsesReader>(std::move(options));
}

}  // namespace fuseboard::llm
