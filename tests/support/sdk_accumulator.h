// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Streams as a caller's SDK sees them: the events taken apart, and put together into the answer that the API would have
// given whole. Written for the tests, without the readers under test. Throws where an SDK would.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuseboard::sdk {

using nlohmann::json;

struct SseText {
  std::string event{};
  std::string data{};
};

inline void must(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

inline void append(json& into, const char* member, const json& text) {
  if (text.is_null()) return;
  into[member] =
      into.value(member, json()).is_null() ? text : json(into[member].get<std::string>() + text.get<std::string>());
}

inline void take_calls(json& message, const json& pieces) {
  json& calls = message["tool_calls"];
  for (const json& piece : pieces) {
    const auto index = piece.at("index").get<std::size_t>();
    if (index == calls.size()) {
      must(piece.contains("id") && piece.at("type") == "function", "a call begins with its id and type");
      calls.push_back({{"id", piece.at("id")},
                       {"type", "function"},
                       {"function", {{"name", piece.at("function").at("name")}, {"arguments", ""}}}});
    }
    must(index < calls.size(), "calls begin one after another");
    append(calls[index]["function"], "arguments", piece.at("function").at("arguments"));
  }
}

inline void take_delta(json& message, const json& delta) {
  for (const char* member : {"content", "refusal", "reasoning_content"}) {
    if (delta.contains(member)) append(message, member, delta[member]);
  }
  if (delta.contains("role")) message["role"] = delta["role"];
  if (delta.contains("tool_calls")) take_calls(message, delta["tool_calls"]);
}

inline void take_block_delta(json& block, std::string& partial_json, const json& delta) {
  const std::string type = delta.at("type");
  if (type == "text_delta") {
    must(block.at("type") == "text", "text belongs into a text block");
    append(block, "text", delta.at("text"));
  } else if (type == "thinking_delta") {
    append(block, "thinking", delta.at("thinking"));
  } else if (type == "signature_delta") {
    append(block, "signature", delta.at("signature"));
  } else {
    must(type == "input_json_delta" && block.at("type") == "tool_use", "arguments belong into a tool_use block");
    partial_json += delta.at("partial_json").get<std::string>();
  }
}

// Of a stream whose events are written as ours are: one line of data each.
inline std::vector<SseText> sse_events(std::string_view stream) {
  std::vector<SseText> events;
  while (!stream.empty()) {
    const std::size_t end = stream.find("\n\n");
    must(end != std::string_view::npos, "an event ends with a blank line");
    std::string_view block = stream.substr(0, end);
    stream.remove_prefix(end + 2);
    SseText event;
    if (block.starts_with("event: ")) {
      const std::size_t line = block.find('\n');
      event.event = block.substr(7, line - 7);
      block.remove_prefix(line + 1);
    }
    must(block.starts_with("data: ") && !block.contains('\n') && !block.contains('\r'),
         "an event has one line of data");
    event.data = block.substr(6);
    events.push_back(std::move(event));
  }
  return events;
}

// The chat completion of a stream that ends with [DONE]. A text that is empty is null.
inline json accumulate_completion(std::string_view stream) {
  json completion;
  json message = {{"content", nullptr}, {"refusal", nullptr}};
  json finish_reason;
  bool done = false;
  for (const SseText& event : sse_events(stream)) {
    must(!done, "nothing follows [DONE]");
    done = event.data == "[DONE]";
    if (done) continue;
    const json chunk = json::parse(event.data);
    must(chunk.at("object") == "chat.completion.chunk", "every event is a chunk");
    for (const char* member : {"id", "created", "model"}) {
      must(!completion.contains(member) || completion[member] == chunk.at(member), "every event names the same answer");
      completion[member] = chunk.at(member);
    }
    for (const json& choice : chunk.at("choices")) {
      must(finish_reason.is_null(), "nothing follows the finish reason");
      if (message.value("role", "").empty()) must(choice.at("delta").contains("role"), "the role comes first");
      take_delta(message, choice.at("delta"));
      finish_reason = choice.at("finish_reason");
    }
    if (chunk.contains("usage") && !chunk["usage"].is_null()) completion["usage"] = chunk["usage"];
  }
  must(done, "the stream ends with [DONE]");
  if (message["content"] == "") message["content"] = nullptr;
  completion["object"] = "chat.completion";
  completion["choices"] =
      json::array({{{"index", 0}, {"message", message}, {"logprobs", nullptr}, {"finish_reason", finish_reason}}});
  return completion;
}

// The message of a stream that ends with message_stop.
inline json accumulate_message(std::string_view stream) {
  json message;
  std::string partial_json;
  bool open = false;
  bool stopped = false;
  for (const SseText& event : sse_events(stream)) {
    must(!stopped, "nothing follows message_stop");
    const json data = json::parse(event.data);
    const std::string type = data.at("type");
    must(type == event.event, "an event's name is its type");
    must((type == "message_start") == message.is_null(), "message_start comes first and once");
    if (type == "message_start") {
      message = data.at("message");
    } else if (type == "content_block_start") {
      must(!open && data.at("index") == message["content"].size(), "blocks come one after another");
      open = true;
      message["content"].push_back(data.at("content_block"));
      partial_json.clear();
    } else if (type == "content_block_delta") {
      must(open && data.at("index") == message["content"].size() - 1, "a delta is of the open block");
      take_block_delta(message["content"].back(), partial_json, data.at("delta"));
    } else if (type == "content_block_stop") {
      must(open && data.at("index") == message["content"].size() - 1, "the open block is closed");
      open = false;
      if (!partial_json.empty()) message["content"].back()["input"] = json::parse(partial_json);
    } else if (type == "message_delta") {
      must(!open, "the message ends behind its blocks");
      message.update(data.at("delta"));
      message["usage"].update(data.at("usage"));
    } else {
      must(type == "message_stop", "no other event");
      stopped = true;
    }
  }
  must(stopped, "the stream ends with message_stop");
  return message;
}

}  // namespace fuseboard::sdk
