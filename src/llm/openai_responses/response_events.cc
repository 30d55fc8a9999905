// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_responses/response_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "json/document.h"

namespace fuseboard::llm {
namespace {

constexpr std::string_view kInProgress = "\"in_progress\"";

// An object as it is written, but for these members.
struct Replaced {
  std::string_view name;
  std::string_view value;
};

std::string with(const json::Value& object, std::initializer_list<Replaced> replaced) {
  std::string out = "{";
  object.each_member([&](std::string_view name, const json::Value& value) {
    const auto* const other = std::ranges::find(replaced, name, &Replaced::name);
    if (out.size() > 1) out += ',';
    out.append("\"").append(name).append("\":").append(other != replaced.end() ? other->value : value.raw());
  });
  return out += '}';
}

// A member's value as it is written; `otherwise` where there is none.
std::string_view member(const json::Value& object, std::string_view wanted, std::string_view otherwise) {
  std::string_view found = otherwise;
  object.each_member([&](std::string_view name, const json::Value& value) {
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

void add_part(EventWriter& events, std::string_view item_place, std::size_t index, const json::Value& part) {
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

// The kinds of item that have one text, by the field that holds it, and the events that tell it.
struct TextItem {
  std::string_view type;  // a literal
  std::string_view field;
  std::string_view told_by;
};
constexpr std::array<TextItem, 3> kTextItems = {{{"\"function_call\"", "arguments", "response.function_call_arguments"},
                                                 {"\"mcp_call\"", "arguments", "response.mcp_call_arguments"},
                                                 {"\"custom_tool_call\"", "input", "response.custom_tool_call_input"}}};

// `item` as it is written, and its id, a literal.
void add_item(EventWriter& events, std::size_t index, const json::Value& item, std::string_view id) {
  const std::string at = fmt::format("\"output_index\":{}", index);
  const std::string place = fmt::format("\"item_id\":{},{}", id, at);
  const std::string_view type = member(item, "type", "");
  const auto* const kind = std::ranges::find(kTextItems, type, &TextItem::type);
  const bool is_message = type == "\"message\"";
  const auto begun = [&] {
    if (is_message) return with(item, {{"status", kInProgress}, {"content", "[]"}});
    if (kind != kTextItems.end()) return with(item, {{"status", kInProgress}, {kind->field, "\"\""}});
    return with(item, {{"status", kInProgress}});
  };
  events.add("response.output_item.added", fmt::format("{},\"item\":{}", at, begun()));
  item.each_member([&](std::string_view name, const json::Value& value) {
    if (name == "content" && is_message) {
      std::size_t part = 0;
      value.each_element([&](const json::Value& element) { add_part(events, place, part++, element); });
    } else if (kind != kTextItems.end() && name == kind->field && value.is_string()) {
      add_told(events, place, {.type = kind->told_by, .field = kind->field, .text = value.raw()});
    }
  });
  events.add("response.output_item.done", fmt::format("{},\"item\":{}", at, item.raw()));
}

// Clients find the events of an item by its id, and in the whole response again; some servers give none.
std::string with_id(const json::Value& item, std::size_t index) {
  std::string named = fmt::format("{{\"id\":\"item_{}\"", index);
  item.each_member([&](std::string_view name, const json::Value& value) {
    if (name != "id") fmt::format_to(std::back_inserter(named), ",\"{}\":{}", name, value.raw());
  });
  return named += '}';
}

bool has_id(const json::Value& item) {
  const std::string_view id = member(item, "id", "");
  return id.starts_with('"') && id.size() > 2;
}

// The output of a response, each of its items with an id; what is no item is left out.
std::string named_output(const json::Value& response) {
  std::string output = "[";
  response.each_member([&](std::string_view name, const json::Value& value) {
    if (name != "output") return;
    std::size_t index = 0;
    value.each_element([&](const json::Value& item) {
      if (!item.is_object()) return;
      if (index > 0) output += ',';
      output += has_id(item) ? std::string(item.raw()) : with_id(item, index);
      ++index;
    });
  });
  return output += ']';
}

}  // namespace

std::string response_events(std::string_view body) {
  json::Document document(body);
  const json::Value response = document.root();
  const std::string begun =
      fmt::format("\"response\":{}", with(response, {{"status", kInProgress}, {"output", "[]"}, {"usage", "null"}}));
  EventWriter events;
  events.add("response.created", begun);
  events.add("response.in_progress", begun);
  const std::string output = named_output(response);
  json::Document items(output);
  std::size_t index = 0;
  items.root().each_element(
      [&](const json::Value& item) { add_item(events, index++, item, member(item, "id", "\"\"")); });
  const bool whole = member(response, "status", "") != "\"incomplete\"";
  events.add(whole ? "response.completed" : "response.incomplete",
             fmt::format("\"response\":{}", with(response, {{"output", output}})));
  return std::move(events).take();
}

}  // namespace fuseboard::llm
