// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/stream.h"

#include <algorithm>

#include "fuseboard/classify/classifier.h"
#include "fuseboard/classify/transport.h"
#include "llm/answer_parts.h"
#include "llm/json_scan.h"

namespace fuseboard::llm {

std::string_view name(StreamPiece piece) noexcept {
  switch (piece) {
    case StreamPiece::prelude:
      return "prelude";
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

// Walks over one event, tells its reader what it finds and remembers what the event is.
class ChatStreamReader::Event {
 public:
  explicit Event(ChatStreamReader& reader) noexcept : reader_(reader) {}

  void walk(std::string_view data);

  bool is_error() const noexcept { return error_; }
  bool is_malformed() const noexcept { return too_many_choices_; }
  StreamPiece piece() const noexcept {
    if (content_) return StreamPiece::content;
    if (finish_) return StreamPiece::finish;
    return usage_ ? StreamPiece::usage : StreamPiece::prelude;
  }

 private:
  void walk_choice(ondemand::value element);
  Choice* choice(std::uint64_t index);

  ChatStreamReader& reader_;
  bool error_ = false;
  bool content_ = false;
  bool finish_ = false;
  bool usage_ = false;
  bool too_many_choices_ = false;
};

void ChatStreamReader::Event::walk(std::string_view data) {
  auto document = open_json(data);
  for_each_member(document.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "choices") {
      for_each_element(value.get_array(), [&](ondemand::value element) { walk_choice(element); });
    } else if (name == "usage") {
      if (const auto usage = read_usage(value)) {
        usage_ = true;
        reader_.usage_ = *usage;
      }
    } else if (name == "model") {
      if (reader_.model_.empty()) reader_.model_ = text_of(value, kMostNameBytes);
    } else if (marks_error(name, value)) {
      error_ = true;
    }
  });
}

void ChatStreamReader::Event::walk_choice(ondemand::value element) {
  std::uint64_t index = 0;
  std::string finish_reason;
  for_each_member(element.get_object(), [&](ondemand::raw_json_string name, ondemand::value value) {
    if (name == "index") {
      if (value.get_uint64().get(index)) index = 0;
    } else if (name == "delta" || name == "message") {
      for_each_member(value.get_object(), [&](ondemand::raw_json_string field, ondemand::value content) {
        if (!content_ && is_content_field(field) && has_content(content)) content_ = true;
      });
    } else if (name == "finish_reason") {
      finish_reason = text_of(value, kMostNameBytes);
    } else if (name == "error" && has_content(value)) {
      error_ = true;
    }
  });
  Choice* const choice = this->choice(index);
  if (choice == nullptr) {
    too_many_choices_ = true;
    return;
  }
  if (finish_reason.empty()) return;
  // OpenRouter ends a broken answer so; it is no end of an answer.
  if (finish_reason == "error") error_ = true;
  finish_ = true;
  choice->finish_reason = std::move(finish_reason);
}

ChatStreamReader::Choice* ChatStreamReader::Event::choice(std::uint64_t index) {
  auto& choices = reader_.choices_;
  const auto found = std::ranges::find(choices, index, &Choice::index);
  if (found != choices.end()) return &*found;
  if (choices.size() >= kMaxChoices) return nullptr;
  return &choices.emplace_back(Choice{.index = index});
}

StreamPiece ChatStreamReader::read(std::string_view data) {
  const std::size_t begin = std::min(data.find_first_not_of(" \t\r\n"), data.size());
  if (data.substr(begin).starts_with("[DONE]")) {  // as OpenAI's own SDKs look for it
    done_ = true;
    return StreamPiece::done;
  }
  if (begin == data.size() || data[begin] != '{' || validate_json(data)) {
    malformed_ = true;
    return StreamPiece::malformed;
  }
  Event event(*this);
  event.walk(data);
  if (event.is_error()) {
    if (!failure_) {
      error_ = read_error(data);
      const CallEvidence evidence{.status = 200, .body = data};
      const auto judged = fuseboard::classify(evidence, rules_).failure;
      failure_ = judged.value_or(Failure::of(Category::service_unavailable));
    }
    return StreamPiece::error;
  }
  if (event.is_malformed()) {
    malformed_ = true;
    return StreamPiece::malformed;
  }
  if (event.piece() == StreamPiece::content) content_seen_ = true;
  return event.piece();
}

bool ChatStreamReader::complete() const noexcept {
  if (done_) return true;
  const auto finished = [](const Choice& choice) { return !choice.finish_reason.empty(); };
  return !choices_.empty() && choices_.size() >= expected_choices_ && std::ranges::all_of(choices_, finished);
}

std::optional<Failure> ChatStreamReader::at_end() const noexcept {
  if (malformed_ && !failure_) return classify_transport(TransportFault::malformed);
  // An end without an answer before it is as unusable as a plain answer without a choice.
  if (!failure_ && done_ && choices_.empty()) return Failure::of(Category::service_unavailable);
  return classify_stream_end(complete(), failure_);
}

std::string_view ChatStreamReader::finish_reason(std::size_t choice) const noexcept {
  const auto found = std::ranges::find(choices_, choice, &Choice::index);
  return found == choices_.end() ? std::string_view() : std::string_view(found->finish_reason);
}

}  // namespace fuseboard::llm
