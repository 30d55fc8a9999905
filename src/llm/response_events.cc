// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/response_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "llm/json_reader.h"

namespace fuseboard::llm {
namespace {

// An object as it is written, but for these members.
struct Replaced {
  std::string_view name;
  std::string_view value;
};

std::string with(const JsonValue& object, std::initializer_list<Replaced> replaced) {
  std::string out = "{";
  object.each_member([&](std::string_view name, const JsonValue& value) {
    const auto* const other = std::ranges::find(replaced, name, &Replaced::name);
    if (out.size() > 1) out += ',';
    out.append("\"").append(name).append("\":").append(other != replaced.end() ? other->value : value.raw());
  });
  return out += '}';
}

// A member's value as it is written; `otherwise` where there is none.
std::string_view member(const JsonValue& object, std::string_view wanted, std::string_view otherwise) {
  std::string_view found = otherwise;
  object.each_member([&](std::string_view name, const JsonValue& value) {
    if (name == wanted) found = value.raw();
  });
  return found;
}

class EventWriter {
 public:
  // `fields`: what the event says besides its type and number, as members of an object.
  void add(std::string_view type, std::string_view fields) {
    const std::size_t data = out_.size() + 7 + type.size() + 1;
    fmt::format_to(std::back_inserter(out_), "event: {0}\ndata: {{\"type\":\"{0}\",\"sequence_number\":{1},{2}}}", type,
                   events_++, fields);
    // Between values a text may have line breaks, which would end the event's data.
    std::replace_if(
        out_.begin() + static_cast<std::ptrdiff_t>(data), out_.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
    out_ += "\n\n";
  }
  std::string take() && { return std::move(out_); }

 private:
  std::string out_;
  std::uint64_t events_ = 0;
};

// A text that is told in one delta: of a part of a message, or the arguments of a call.
struct Told {
  std::string_view type;   // "response.output_text"
  std::string_view field;  // in the event that ends it
  std::string_view text;   // a literal
};

void add_told(EventWriter& events, std::string_view place, const Told& told) {
  events.add(fmt::format("{}.delta", told.type), fmt::format("{},\"delta\":{}", place, told.text));
  events.add(fmt::format("{}.done", told.type), fmt::format("{},\"{}\":{}", place, told.field, told.text));
}

void add_part(EventWriter& events, std::string_view item_place, std::size_t index, const JsonValue& part) {
  const std::string place = fmt::format("{},\"content_index\":{}", item_place, index);
  const bool refuses = member(part, "type", "") == "\"refusal\"";
  const std::string_view field = refuses ? "refusal" : "text";
  events.add("response.content_part.added", fmt::format("{},\"part\":{}", place, with(part, {{field, "\"\""}})));
  const std::string_view text = member(part, field, "");
  if (!text.empty()) {
    add_told(events, place,
             {.type = refuses ? "response.refusal" : "response.output_text", .field = field, .text = text});
  }
  events.add("response.content_part.done", fmt::format("{},\"part\":{}", place, part.raw()));
}

void add_item(EventWriter& events, std::size_t index, const JsonValue& item) {
  const std::string at = fmt::format("\"output_index\":{}", index);
  const std::string place = fmt::format("\"item_id\":{},{}", member(item, "id", "\"\""), at);
  events.add("response.output_item.added",
             fmt::format("{},\"item\":{}", at,
                         with(item, {{"status", "\"in_progress\""}, {"content", "[]"}, {"arguments", "\"\""}})));
  const bool is_message = member(item, "type", "") == "\"message\"";
  item.each_member([&](std::string_view name, const JsonValue& value) {
    if (name == "content" && is_message) {
      std::size_t part = 0;
      value.each_element([&](const JsonValue& element) { add_part(events, place, part++, element); });
    } else if (name == "arguments" && value.is_string()) {
      add_told(events, place, {.type = "response.function_call_arguments", .field = "arguments", .text = value.raw()});
    }
  });
  events.add("response.output_item.done", fmt::format("{},\"item\":{}", at, item.raw()));
}

}  // namespace

std::string response_events(std::string_view body) {
  JsonDocument document(body);
  const JsonValue response = document.root();
  const std::string begun = fmt::format(
      "\"response\":{}", with(response, {{"status", "\"in_progress\""}, {"output", "[]"}, {"usage", "null"}}));
  EventWriter events;
  events.add("response.created", begun);
  events.add("response.in_progress", begun);
  response.each_member([&](std::string_view name, const JsonValue& value) {
    std::size_t index = 0;
    if (name == "output") value.each_element([&](const JsonValue& item) { add_item(events, index++, item); });
  });
  const bool whole = member(response, "status", "\"completed\"") != "\"incomplete\"";
  events.add(whole ? "response.completed" : "response.incomplete", fmt::format("\"response\":{}", response.raw()));
  return std::move(events).take();
}

}  // namespace fuseboard::llm
