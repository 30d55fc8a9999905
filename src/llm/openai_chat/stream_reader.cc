// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams of chat completions (OpenAI and those who speak its dialect).
#include <algorithm>
#include <utility>

#include "llm/error_details.h"
#include "llm/event_reader.h"
#include "llm/finish_reason.h"
#include "llm/openai_chat/chat_completions.h"
#include "llm/openai_chat/message.h"
#include "llm/usage_counts.h"

namespace fuseboard::llm {
namespace {

class ChatReader final : public JsonStreamReader {
 public:
  explicit ChatReader(StreamReaderOptions options) noexcept
      : JsonStreamReader(std::move(options)), collects_(options_.deltas || options_.text) {}

  bool complete() const noexcept override;
  bool at_work() const noexcept override { return at_work_; }
  std::string_view finish_reason(std::size_t choice) const noexcept override;

 private:
  class Event;  // the walk over one event
  struct Choice {
    std::uint64_t index = 0;
    std::string finish_reason{};
  };
  // The most choices of one answer, as OpenAI bounds `n`. An event that begins more is malformed.
  static constexpr std::size_t kMaxChoices = 128;

  StreamPiece walk(std::string_view event, std::string_view data) override;
  bool begun() const noexcept override { return !choices_.empty(); }
  void end() override;
  void tell(std::vector<Delta> said, bool has_usage);
  void say(std::vector<Delta> said);

  bool collects_;
  UsageCounts counts_{};
  std::vector<Choice> choices_{};
  ChatMessageReader message_{};
  bool at_work_ = false;
  bool begin_told_ = false;
  bool finish_told_ = false;
};

// Walks over one event, tells its reader what it finds and remembers what the event is.
class ChatReader::Event {
 public:
  explicit Event(ChatReader& reader) noexcept : reader_(reader) {}

  void walk(std::string_view data);

  bool has_usage() const noexcept { return usage_; }
  std::vector<Delta>& said() noexcept { return said_; }  // by the first choice, if it is collected
  StreamPiece piece() const noexcept {
    if (error_) return StreamPiece::error;
    if (too_many_) return StreamPiece::malformed;
    if (content_) return StreamPiece::content;
    if (finish_) return StreamPiece::finish;
    if (usage_) return StreamPiece::usage;
    return work_ ? StreamPiece::work : StreamPiece::prelude;
  }

 private:
  void walk_choice(const json::Value& element);
  bool is_collected(const json::Value& choice) const;
  void take(const MessageFacts& facts);
  void end_choice(std::uint64_t index, std::string finish_reason);
  Choice* choice(std::uint64_t index);

  ChatReader& reader_;
  std::vector<Delta> said_{};
  bool error_ = false;
  bool content_ = false;
  bool work_ = false;
  bool finish_ = false;
  bool usage_ = false;
  bool too_many_ = false;
};

void ChatReader::Event::walk(std::string_view data) {
  json::Document document(data);
  document.root().each_member([&](std::string_view name, const json::Value& value) {
    if (name == "choices") {
      value.each_element([&](const json::Value& element) { walk_choice(element); });
    } else if (name == "usage") {
      if (reader_.counts_.update(value)) {
        usage_ = true;
        reader_.usage_ = reader_.counts_.usage();
      }
    } else if (name == "id") {
      if (reader_.id_.empty()) reader_.id_ = value.cut_text(kMaxNameBytes);
    } else if (name == "created") {
      if (reader_.created_ == 0) reader_.created_ = value.integer<std::int64_t>().value_or(0);
    } else if (name == "model") {
      if (reader_.model_.empty()) reader_.model_ = value.cut_text(kMaxNameBytes);
    } else if (marks_error(name, value)) {
      error_ = true;
    }
  });
}

void ChatReader::Event::walk_choice(const json::Value& element) {
  if (!element.is_object()) return;
  const bool collected = reader_.collects_ && is_collected(element);
  std::uint64_t index = 0;
  std::string finish_reason;
  element.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "index") {
      index = value.integer<std::uint64_t>().value_or(0);
    } else if (name == "delta" || name == "message") {
      const MessageForm form = name == "message" ? MessageForm::whole : MessageForm::piece;
      take(collected ? reader_.message_.read(value, form, said_) : look_at_message(value, form));
    } else if (name == "finish_reason") {
      finish_reason = value.cut_text(kMaxNameBytes);
    } else if (name == "error" && value.has_content()) {
      error_ = true;
    }
  });
  end_choice(index, std::move(finish_reason));
}

// Whether it is the first choice. Its index may stand behind what it says.
bool ChatReader::Event::is_collected(const json::Value& choice) const {
  std::uint64_t index = 0;
  choice.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "index") index = value.integer<std::uint64_t>().value_or(0);
  });
  return index == 0;
}

void ChatReader::Event::take(const MessageFacts& facts) {
  content_ = content_ || facts.content;
  reader_.seen_.bytes += facts.bytes;
  work_ = work_ || facts.work;
  if (facts.content || facts.work) reader_.at_work_ = facts.at_work;
  too_many_ = too_many_ || facts.too_many;
  if (!facts.plain) reader_.plain_text_only_ = false;
}

void ChatReader::Event::end_choice(std::uint64_t index, std::string finish_reason) {
  Choice* const choice = this->choice(index);
  if (choice == nullptr) {
    too_many_ = true;
    return;
  }
  if (index != 0) reader_.plain_text_only_ = false;
  if (finish_reason.empty()) return;
  // OpenRouter ends a broken answer so; it is no end of an answer.
  if (finish_reason == "error") error_ = true;
  finish_ = true;
  reader_.at_work_ = false;
  if (index == 0) reader_.finish_reason_ = finish_reason;
  choice->finish_reason = std::move(finish_reason);
}

ChatReader::Choice* ChatReader::Event::choice(std::uint64_t index) {
  auto& choices = reader_.choices_;
  const auto found = std::ranges::find(choices, index, &Choice::index);
  if (found != choices.end()) return &*found;
  if (choices.size() >= kMaxChoices) return nullptr;
  return &choices.emplace_back(Choice{.index = index});
}

StreamPiece ChatReader::walk(std::string_view /*event*/, std::string_view data) {
  Event event(*this);
  event.walk(data);
  if (collects_) tell(std::move(event.said()), event.has_usage());
  return event.piece();
}

void ChatReader::tell(std::vector<Delta> said, bool has_usage) {
  const bool finishes = !finish_told_ && !finish_reason_.empty();
  if (finishes) message_.finish(said);
  say(std::move(said));
  if (!options_.deltas) return;
  if (finishes) {
    finish_told_ = true;
    add({.kind = Delta::Kind::finish, .reason = llm::finish_reason(Dialect::openai, finish_reason_)});
  }
  if (has_usage && usage_.known) add({.kind = Delta::Kind::usage, .usage = usage_});
}

void ChatReader::say(std::vector<Delta> said) {
  if (options_.text) {
    for (const Delta& delta : said) {
      if (delta.kind == Delta::Kind::text) text_ += delta.text;
    }
  }
  if (!options_.deltas) return;
  if (!begin_told_ && !(id_.empty() && model_.empty())) {
    begin_told_ = true;
    add({.kind = Delta::Kind::begin, .id = id_, .model = model_});
  }
  for (Delta& delta : said) add(std::move(delta));
}

// Without a finish reason, what waits for more is told at the formal end.
void ChatReader::end() {
  if (!collects_ || finish_told_) return;
  std::vector<Delta> said;
  message_.finish(said);
  say(std::move(said));
}

bool ChatReader::complete() const noexcept {
  if (terminal_seen_) return true;
  const auto finished = [](const Choice& choice) { return !choice.finish_reason.empty(); };
  return !choices_.empty() && choices_.size() >= options_.choices && std::ranges::all_of(choices_, finished);
}

std::string_view ChatReader::finish_reason(std::size_t choice) const noexcept {
  const auto found = std::ranges::find(choices_, choice, &Choice::index);
  return found == choices_.end() ? std::string_view() : std::string_view(found->finish_reason);
}

}  // namespace

std::unique_ptr<StreamReader> make_chat_reader(StreamReaderOptions options) {
  return std::make_unique<ChatReader>(std::move(options));
}

}  // namespace fuseboard::llm
