// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Answers of the simulated provider, read as a client reads them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sim/behaviour.h"
#include "sim/provider_answer.h"

namespace fuseboard::sim {

inline const AnswerContext kContext = {
    .seed = 1, .ordinal = 1, .created = 1'767'225'600, .token_gap = std::chrono::milliseconds(5)};

inline PlannedFault planned(std::string_view model) {
  return planned_fault_of(*read_model_name(model), 0, Duration::zero());
}

inline Reply reply(Dialect dialect, std::string_view body, std::string_view model = "sim-ok") {
  const auto request = read_chat(dialect, body);
  EXPECT_TRUE(request.has_value()) << request.error().message;
  return chat_reply(dialect, *request, planned(model), kContext);
}

struct Event {
  std::string name;
  std::string data;
};

inline std::vector<Event> events_of(const std::string& body) {
  std::vector<Event> events;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = body.find("\n\n", begin)) != std::string::npos; begin = end + 2) {
    const std::string block = body.substr(begin, end - begin);
    Event event;
    if (block.starts_with("event: ")) event.name = block.substr(7, block.find('\n') - 7);
    event.data = block.substr(block.find("data: ") + 6);
    events.push_back(std::move(event));
  }
  EXPECT_EQ(begin, body.size()) << "an incomplete last event";
  return events;
}

// The text of a stream of any of the three shapes.
inline std::string streamed_text(const std::vector<Event>& events) {
  using nlohmann::json;
  std::string text;
  for (const Event& event : events) {
    const json data = json::parse(event.data, nullptr, false);
    if (!data.is_object()) continue;
    const std::string type = data.value("type", "");
    if (data.contains("choices") && !data["choices"].empty()) {
      const json& delta = data["choices"][0]["delta"];
      if (delta.contains("content") && delta["content"].is_string()) text += delta["content"].get<std::string>();
    }
    if (type == "content_block_delta") text += data["delta"].value("text", "");
    if (type == "response.output_text.delta") text += data["delta"].get<std::string>();
  }
  return text;
}

}  // namespace fuseboard::sim
