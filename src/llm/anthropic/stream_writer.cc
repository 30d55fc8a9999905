// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of messages as Anthropic writes them: blocks one after another, each with its start, its deltas and its stop.
#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <utility>

#include "json/string.h"
#include "llm/answer_blocks.h"
#include "llm/anthropic/messages.h"
#include "llm/call_id.h"
#include "llm/finish_reason.h"

namespace fuseboard::llm {
namespace {

class MessagesWriter final : public StreamWriter {
 public:
  MessagesWriter(RecoveryPoint point, bool recovers);

  bool write(const Delta& delta, std::string& out) override;
  void end(std::string& out) override;
  RecoveryPoint recovery_point() const override;

 private:
  using Kind = AnswerBlock::Kind;

  void take_begin(const Delta& delta);
  void begin(std::string& out);
  void pump(std::string& out, bool to_the_end);
  void open_block(const AnswerBlock& block, std::string& out);
  void write_block(AnswerBlock& block, std::string& out);
  void write_part(std::string_view type, std::string_view member, std::string& text, std::string& out);
  void close_block(std::string& out);
  std::size_t held_back() const noexcept;
  void append_stop(std::string& out);

  StreamOrigin origin_;
  AnswerBlocks blocks_{};  // the first is the open one
  std::uint32_t index_;    // of the block at the front
  std::size_t calls_ = 0;  // whose blocks were opened
  Usage usage_{};
  std::optional<Delta> finish_{};
  bool refused_ = false;
  bool begun_;         // message_start has been written
  bool open_ = false;  // the block at the front has its start
  bool ended_ = false;
};

MessagesWriter::MessagesWriter(RecoveryPoint point, bool recovers)
    : origin_(std::move(point.origin)), index_(point.text_block), begun_(recovers) {
  if (!recovers || !point.text_open) return;
  blocks_.push_open_text();
  open_ = true;
}

RecoveryPoint MessagesWriter::recovery_point() const {
  const bool in_text = open_ && !blocks_.empty() && blocks_.all().front().kind == Kind::text;
  return {.origin = origin_, .text_open = in_text, .text_block = index_};
}

bool MessagesWriter::write(const Delta& delta, std::string& out) {
  if (ended_) return true;
  switch (delta.kind) {
    case Delta::Kind::begin:
      take_begin(delta);
      return true;
    case Delta::Kind::usage:
      usage_ = delta.usage;
      return true;
    case Delta::Kind::finish:
      if (!finish_) finish_ = delta;
      begin(out);
      pump(out, true);
      return true;
    default:
      break;
  }
  if (delta.kind == Delta::Kind::refusal && !delta.text.empty()) refused_ = true;
  if (!blocks_.add(delta)) return false;
  if (blocks_.empty()) return true;  // nothing was said
  begin(out);
  pump(out, false);
  return held_back() <= kMaxHeldBack;
}

void MessagesWriter::take_begin(const Delta& delta) {
  if (begun_) return;
  if (!delta.id.empty()) origin_.id = delta.id;
  if (!delta.model.empty()) origin_.model = delta.model;
}

// As late as it may be, so that usage which the source tells at its own beginning is in it.
void MessagesWriter::begin(std::string& out) {
  if (std::exchange(begun_, true)) return;
  out += "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":";
  json::append_string(out, origin_.id);
  out += R"(,"type":"message","role":"assistant","model":)";
  json::append_string(out, origin_.model);
  out += R"(,"content":[],"stop_reason":null,"stop_sequence":null,"usage":)";
  append_anthropic_usage(out, usage_);
  out += "}}\n\n";
}

// Writes what can be written: all of the block at the front, and the next ones as soon as nothing more can come for it.
void MessagesWriter::pump(std::string& out, bool to_the_end) {
  while (!blocks_.empty()) {
    AnswerBlock& front = blocks_.front();
    if (!std::exchange(open_, true)) open_block(front, out);
    write_block(front, out);
    const bool complete = front.kind != Kind::tool || front.arguments.complete();
    if (!to_the_end && (blocks_.all().size() == 1 || !complete)) return;
    close_block(out);
    blocks_.pop_front();
  }
}

void MessagesWriter::open_block(const AnswerBlock& block, std::string& out) {
  fmt::format_to(
      std::back_inserter(out),
      "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":{},\"content_block\":", index_);
  switch (block.kind) {
    case Kind::text:
    case Kind::refusal:
      out += R"({"type":"text","text":""})";
      break;
    case Kind::reasoning:
      out += R"({"type":"thinking","thinking":"","signature":""})";
      break;
    case Kind::tool:
      out += R"({"type":"tool_use","id":)";
      json::append_string(out, call_id(block.id, origin_, calls_++));
      out += R"(,"name":)";
      json::append_string(out, block.name);
      out += R"(,"input":{}})";
      break;
  }
  out += "}\n\n";
}

void MessagesWriter::write_block(AnswerBlock& block, std::string& out) {
  switch (block.kind) {
    case Kind::text:
    case Kind::refusal:
      write_part("text_delta", "text", block.text, out);
      break;
    case Kind::reasoning:
      write_part("thinking_delta", "thinking", block.text, out);
      write_part("signature_delta", "signature", block.signature, out);
      break;
    case Kind::tool:
      write_part("input_json_delta", "partial_json", block.text, out);
      break;
  }
}

void MessagesWriter::write_part(std::string_view type, std::string_view member, std::string& text, std::string& out) {
  if (text.empty()) return;
  fmt::format_to(std::back_inserter(out),
                 "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{},"
                 "\"delta\":{{\"type\":\"{}\",\"{}\":",
                 index_, type, member);
  json::append_string(out, text);
  out += "}}\n\n";
  text.clear();
}

void MessagesWriter::close_block(std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{}}}\n\n", index_);
  ++index_;
  open_ = false;
}

std::size_t MessagesWriter::held_back() const noexcept {
  std::size_t bytes = 0;
  for (std::size_t i = 1; i < blocks_.all().size(); ++i) {
    const AnswerBlock& block = blocks_.all()[i];
    bytes += sizeof(block) + block.text.size() + block.signature.size();
  }
  return bytes;
}

void MessagesWriter::end(std::string& out) {
  if (ended_) return;
  begin(out);
  pump(out, true);
  ended_ = true;
  append_stop(out);
}

void MessagesWriter::append_stop(std::string& out) {
  const Delta finish = finish_.value_or(Delta{.kind = Delta::Kind::finish});
  const bool refused = refused_ && finish.reason == FinishReason::stop;
  out += "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{";
  append_stop_members(out, refused ? FinishReason::content_filter : finish.reason, finish.text, blocks_.has_calls());
  out += R"(},"usage":)";
  append_anthropic_usage(out, usage_);
  out += "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

}  // namespace

std::unique_ptr<StreamWriter> make_messages_writer(RecoveryPoint point, bool recovers) {
  return std::make_unique<MessagesWriter>(std::move(point), recovers);
}

}  // namespace fuseboard::llm
