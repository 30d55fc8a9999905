// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of Anthropic's Messages API.
#include <algorithm>
#include <utility>

#include "json/string_decoder.h"
#include "llm/anthropic/block.h"
#include "llm/anthropic/messages.h"
#include "llm/error_details.h"
#include "llm/event_reader.h"
#include "llm/finish_reason.h"
#include "llm/seen_text.h"
#include "llm/usage_counts.h"

namespace fuseboard::llm {
namespace {

class MessagesReader final : public JsonStreamReader {
 public:
  explicit MessagesReader(StreamReaderOptions options) noexcept : JsonStreamReader(std::move(options)) {}

  bool complete() const noexcept override { return terminal_seen_ || !finish_reason_.empty(); }
  bool at_work() const noexcept override {
    return std::ranges::any_of(open_, [](const Block& block) { return works_unseen(block.kind); });
  }
  RecoveryPoint recovery_point() const override;

 private:
  // Blocks come one after another; more than this open at once is malformed.
  static constexpr std::size_t kMaxOpenBlocks = 128;

  struct Block {
    std::uint64_t index = 0;
    BlockKind kind = BlockKind::other;
    std::uint32_t tool = 0;
    std::string input{};  // that came with the block's start; pieces of it come in its place
    json::StringDecoder decoder{};
  };
  struct Event;

  StreamPiece walk(std::string_view event, std::string_view data) override;
  bool begun() const noexcept override { return begun_; }

  Event read_event(std::string_view event, const json::Value& root);
  void read_message(const json::Value& message);
  void read_message_delta(const json::Value& delta, Event& event);
  StreamPiece act(const Event& event);
  StreamPiece start_message();
  StreamPiece start_block(const Event& event);
  StreamPiece continue_block(const Event& event);
  void end_block(Block& block);
  StreamPiece stop_block(std::uint64_t index);
  StreamPiece end_message(const Event& event);
  void say(Block& block, Delta::Kind kind, std::string_view literal);
  void say(Delta::Kind kind, std::uint32_t tool, std::string text);
  Block* find(std::uint64_t index) noexcept;

  UsageCounts counts_{};
  std::vector<Block> open_{};
  std::uint64_t next_block_ = 0;
  std::uint32_t next_tool_ = 0;
  bool begun_ = false;
  bool finish_told_ = false;
};

// What an event says, whatever the order of its members. Views are valid as long as the document is open.
struct MessagesReader::Event {
  std::string_view type{};
  std::uint64_t index = 0;
  BlockPart part{};  // content_block or delta
  std::string stop_reason{};
  std::string stop_sequence{};
  bool has_usage = false;
  bool is_error = false;
};

MessagesReader::Event MessagesReader::read_event(std::string_view event, const json::Value& root) {
  Event read;
  root.each_member([&](std::string_view name, const json::Value& value) {
    if (marks_error(name, value)) {
      read.is_error = true;
    } else if (name == "type") {
      read.type = value.text();
    } else if (name == "index") {
      read.index = value.integer<std::uint64_t>().value_or(0);
    } else if (name == "message") {
      read_message(value);
    } else if (name == "content_block") {
      read.part = read_block_part(value);
    } else if (name == "delta") {
      read_message_delta(value, read);
    } else if (name == "usage") {
      read.has_usage = counts_.update(value);
    }
  });
  if (read.type.empty()) read.type = event;
  return read;
}

void MessagesReader::read_message(const json::Value& message) {
  message.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "id" && id_.empty()) id_ = value.cut_text(kMaxNameBytes);
    if (name == "model" && model_.empty()) model_ = value.cut_text(kMaxNameBytes);
    if (name == "usage") counts_.update(value);
  });
}

// Of a block or of the message: they share no member but the type.
void MessagesReader::read_message_delta(const json::Value& delta, Event& event) {
  delta.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "stop_reason") event.stop_reason = value.cut_text(kMaxNameBytes);
    if (name == "stop_sequence") event.stop_sequence = value.text();
    take_block_member(event.part, name, value);
  });
}

StreamPiece MessagesReader::walk(std::string_view event, std::string_view data) {
  json::Document document(data);
  const Event read = read_event(event, document.root());
  if (read.is_error) return StreamPiece::error;
  usage_ = counts_.usage();
  // Signatures, and what a tool of the provider's has found, are not what the model says.
  for (const std::string_view literal : {read.part.text, read.part.thinking, read.part.partial_json})
    seen_.bytes += text_bytes(literal);
  seen_.bytes += read.part.input.size();
  return act(read);
}

StreamPiece MessagesReader::act(const Event& event) {
  if (event.type == "content_block_delta") return continue_block(event);
  if (event.type == "content_block_start") return start_block(event);
  if (event.type == "content_block_stop") return stop_block(event.index);
  if (event.type == "message_delta") return end_message(event);
  if (event.type == "message_start") return start_message();
  if (event.type == "message_stop") return StreamPiece::done;
  return StreamPiece::prelude;  // ping, and what the API may add
}

StreamPiece MessagesReader::start_message() {
  if (options_.deltas && !begun_) {
    add({.kind = Delta::Kind::begin, .id = id_, .model = model_});
    if (usage_.known) add({.kind = Delta::Kind::usage, .usage = usage_});
  }
  begun_ = true;
  return StreamPiece::prelude;
}

StreamPiece MessagesReader::start_block(const Event& event) {
  begun_ = true;
  if (open_.size() >= kMaxOpenBlocks) return StreamPiece::malformed;
  const BlockPart& part = event.part;
  Block& block = open_.emplace_back(Block{.index = event.index, .kind = kind_of(part.type)});
  next_block_ = std::max(next_block_, event.index + 1);
  if (block.kind != BlockKind::text) plain_text_only_ = false;
  switch (block.kind) {
    case BlockKind::text:
      say(block, Delta::Kind::text, part.text);
      return says_something(part.text) ? StreamPiece::content : StreamPiece::prelude;
    case BlockKind::thinking:
      say(block, Delta::Kind::reasoning, part.thinking);
      return says_something(part.thinking) ? StreamPiece::content : StreamPiece::work;
    case BlockKind::tool_use:
      block.tool = next_tool_++;
      if (options_.deltas) {
        block.input = std::string(part.input);
        add({.kind = Delta::Kind::tool_begin,
             .tool = block.tool,
             .id = std::string(part.id),
             .name = std::string(part.name)});
      }
      return part.input.empty() ? StreamPiece::work : StreamPiece::content;
    case BlockKind::provider_call:
      return StreamPiece::work;
    case BlockKind::other:
      break;
  }
  return StreamPiece::content;
}

StreamPiece MessagesReader::continue_block(const Event& event) {
  begun_ = true;
  const BlockPart& part = event.part;
  Block* const known = find(event.index);
  Block unknown;
  Block& block = known == nullptr ? unknown : *known;
  if (part.type == "text_delta") {
    say(block, Delta::Kind::text, part.text);
    return says_something(part.text) ? StreamPiece::content : StreamPiece::prelude;
  }
  plain_text_only_ = false;
  if (part.type == "thinking_delta") {
    say(block, Delta::Kind::reasoning, part.thinking);
    return says_something(part.thinking) ? StreamPiece::content : StreamPiece::work;
  }
  if (part.type == "signature_delta") {
    say(block, Delta::Kind::signature, part.signature);
    return StreamPiece::work;
  }
  if (part.type == "input_json_delta") {
    if (!part.input.empty()) {
      if (block.kind == BlockKind::tool_use) block.input = part.input;
      return StreamPiece::content;
    }
    if (!says_something(part.partial_json)) return StreamPiece::work;
    block.input.clear();
    if (block.kind == BlockKind::tool_use) say(block, Delta::Kind::tool_arguments, part.partial_json);
  }
  return StreamPiece::content;  // citations, and what the API may add to a block
}

void MessagesReader::say(Block& block, Delta::Kind kind, std::string_view literal) {
  if (!options_.deltas && !(options_.text && kind == Delta::Kind::text)) return;
  std::string text;
  block.decoder.append(text, literal);
  say(kind, block.tool, std::move(text));
}

void MessagesReader::say(Delta::Kind kind, std::uint32_t tool, std::string text) {
  if (text.empty()) return;
  if (options_.text && kind == Delta::Kind::text) text_ += text;
  if (options_.deltas) add({.kind = kind, .tool = tool, .text = std::move(text)});
}

void MessagesReader::end_block(Block& block) {
  if (!block.input.empty()) say(Delta::Kind::tool_arguments, block.tool, std::move(block.input));
  std::string text;
  block.decoder.finish(text);
  const bool is_text = block.kind == BlockKind::text;
  if (!is_text && block.kind != BlockKind::thinking) return;
  say(is_text ? Delta::Kind::text : Delta::Kind::reasoning, block.tool, std::move(text));
}

StreamPiece MessagesReader::stop_block(std::uint64_t index) {
  Block* const block = find(index);
  if (block == nullptr) return StreamPiece::prelude;
  const bool worked = works_unseen(block->kind);
  end_block(*block);
  open_.erase(open_.begin() + (block - open_.data()));
  return worked ? StreamPiece::work : StreamPiece::prelude;
}

// There may be several; the first stop reason counts, and the last word on usage.
StreamPiece MessagesReader::end_message(const Event& event) {
  begun_ = true;
  const bool finishes = !event.stop_reason.empty();
  if (finishes) {
    for (Block& block : open_) end_block(block);
    open_.clear();
    if (finish_reason_.empty()) finish_reason_ = event.stop_reason;
  }
  if (options_.deltas && finishes && !std::exchange(finish_told_, true)) {
    add({.kind = Delta::Kind::finish,
         .reason = llm::finish_reason(Dialect::anthropic, finish_reason_),
         .text = event.stop_sequence});
  }
  if (options_.deltas && event.has_usage && usage_.known) add({.kind = Delta::Kind::usage, .usage = usage_});
  if (finishes) return StreamPiece::finish;
  return event.has_usage ? StreamPiece::usage : StreamPiece::prelude;
}

MessagesReader::Block* MessagesReader::find(std::uint64_t index) noexcept {
  const auto found = std::ranges::find(open_, index, &Block::index);
  return found == open_.end() ? nullptr : &*found;
}

RecoveryPoint MessagesReader::recovery_point() const {
  RecoveryPoint point = StreamReader::recovery_point();
  const bool open = !open_.empty() && open_.back().kind == BlockKind::text;
  point.text_open = open;
  point.text_block = static_cast<std::uint32_t>(open ? open_.back().index : next_block_);
  return point;
}

}  // namespace

std::unique_ptr<StreamReader> make_messages_reader(StreamReaderOptions options) {
  return std::make_unique<MessagesReader>(std::move(options));
}

}  // namespace fuseboard::llm
