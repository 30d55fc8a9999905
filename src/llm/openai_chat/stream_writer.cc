// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of chat completions as OpenAI writes them.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "json/string.h"
#include "llm/call_id.h"
#include "llm/finish_reason.h"
#include "llm/openai_chat/chat_completions.h"
#include "llm/openai_chat/message.h"

namespace fuseboard::llm {
namespace {

class ChatWriter final : public StreamWriter {
 public:
  ChatWriter(StreamOrigin origin, bool recovers) : origin_(std::move(origin)), begun_(recovers) {}

  bool write(const Delta& delta, std::string& out) override;
  void end(std::string& out) override;
  RecoveryPoint recovery_point() const override { return {.origin = origin_, .text_open = begun_}; }

 private:
  struct Call {
    std::uint32_t tool = 0;
    bool has_arguments = false;
  };

  void take_begin(const Delta& delta);
  void begin(std::string& out, bool with_text);
  void write_text(std::string& out, std::string_view member, std::string_view text);
  bool begin_call(const Delta& delta, std::string& out);
  bool write_arguments(const Delta& delta, std::string& out);
  void append_arguments(std::string& out, std::size_t place, std::string_view arguments);
  void finish(FinishReason reason, std::string& out);
  void append_head(std::string& out);
  void open_choice(std::string& out);
  void close_choice(std::string& out, std::string_view finish_word);

  StreamOrigin origin_;
  std::string head_{};  // of every event
  std::vector<Call> calls_{};
  Usage usage_{};
  bool begun_;  // the event with the role has been written
  bool finished_ = false;
  bool ended_ = false;
};

bool ChatWriter::write(const Delta& delta, std::string& out) {
  if (ended_) return true;
  switch (delta.kind) {
    case Delta::Kind::begin:
      take_begin(delta);
      return true;
    case Delta::Kind::text:
      write_text(out, "content", delta.text);
      return true;
    case Delta::Kind::reasoning:
      write_text(out, "reasoning_content", delta.text);
      return true;
    case Delta::Kind::refusal:
      write_text(out, "refusal", delta.text);
      return true;
    case Delta::Kind::tool_begin:
      return begin_call(delta, out);
    case Delta::Kind::tool_arguments:
      return begin_call(delta, out) && write_arguments(delta, out);
    case Delta::Kind::finish:
      finish(delta.reason, out);
      return true;
    case Delta::Kind::usage:
      usage_ = delta.usage;
      return true;
    case Delta::Kind::signature:  // OpenAI has no word for it
      return true;
  }
  return true;
}

void ChatWriter::take_begin(const Delta& delta) {
  if (begun_) return;
  if (!delta.id.empty()) origin_.id = delta.id;
  if (!delta.model.empty()) origin_.model = delta.model;
}

// Only the first event names the role. OpenAI begins an answer that is calls alone without a text.
void ChatWriter::begin(std::string& out, bool with_text) {
  if (std::exchange(begun_, true)) return;
  open_choice(out);
  out += with_text ? R"("role":"assistant","content":"")" : R"("role":"assistant","content":null)";
  close_choice(out, {});
}

void ChatWriter::write_text(std::string& out, std::string_view member, std::string_view text) {
  if (text.empty()) return;
  begin(out, true);
  open_choice(out);
  fmt::format_to(std::back_inserter(out), R"("{}":)", member);
  json::append_string(out, text);
  close_choice(out, {});
}

bool ChatWriter::begin_call(const Delta& delta, std::string& out) {
  if (std::ranges::find(calls_, delta.tool, &Call::tool) != calls_.end()) return true;
  if (calls_.size() >= kMaxToolCalls) return false;
  begin(out, false);
  open_choice(out);
  fmt::format_to(std::back_inserter(out), R"("tool_calls":[{{"index":{},"id":)", calls_.size());
  json::append_string(out, call_id(delta.id, origin_, calls_.size()));
  out += R"(,"type":"function","function":{"name":)";
  json::append_string(out, delta.name);
  out += R"(,"arguments":""}}])";
  close_choice(out, {});
  calls_.push_back({.tool = delta.tool});
  return true;
}

bool ChatWriter::write_arguments(const Delta& delta, std::string& out) {
  if (delta.text.empty()) return true;
  const auto call = std::ranges::find(calls_, delta.tool, &Call::tool);
  call->has_arguments = true;
  append_arguments(out, static_cast<std::size_t>(call - calls_.begin()), delta.text);
  return true;
}

void ChatWriter::append_arguments(std::string& out, std::size_t place, std::string_view arguments) {
  open_choice(out);
  fmt::format_to(std::back_inserter(out), R"("tool_calls":[{{"index":{},"function":{{"arguments":)", place);
  json::append_string(out, arguments);
  out += "}}]";
  close_choice(out, {});
}

void ChatWriter::finish(FinishReason reason, std::string& out) {
  if (std::exchange(finished_, true)) return;
  begin(out, true);
  // A call without arguments is one with an empty object: agents parse the text.
  for (std::size_t place = 0; place < calls_.size(); ++place) {
    if (!std::exchange(calls_[place].has_arguments, true)) append_arguments(out, place, "{}");
  }
  open_choice(out);
  close_choice(out, finish_word(Dialect::openai, reason, !calls_.empty()));
}

void ChatWriter::end(std::string& out) {
  if (ended_) return;
  finish(FinishReason::stop, out);
  ended_ = true;
  if (origin_.include_usage && usage_.known) {
    append_head(out);
    out += R"([],"usage":)";
    append_openai_usage(out, usage_);
    out += "}\n\n";
  }
  out += "data: [DONE]\n\n";
}

void ChatWriter::append_head(std::string& out) {
  if (head_.empty()) {
    head_ = R"(data: {"id":)";
    json::append_string(head_, origin_.id);
    fmt::format_to(std::back_inserter(head_), R"(,"object":"chat.completion.chunk","created":{},"model":)",
                   origin_.created);
    json::append_string(head_, origin_.model);
    head_ += R"(,"choices":)";
  }
  out += head_;
}

void ChatWriter::open_choice(std::string& out) {
  append_head(out);
  out += R"([{"index":0,"delta":{)";
}

void ChatWriter::close_choice(std::string& out, std::string_view finish_word) {
  out += R"(},"logprobs":null,"finish_reason":)";
  if (finish_word.empty()) {
    out += "null";
  } else {
    json::append_string(out, finish_word);
  }
  out += origin_.include_usage ? R"(}],"usage":null})" : "}]}";
  out += "\n\n";
}

}  // namespace

std::unique_ptr<StreamWriter> make_chat_writer(RecoveryPoint point, bool recovers) {
  return std::make_unique<ChatWriter>(std::move(point.origin), recovers);
}

}  // namespace fuseboard::llm
