// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "json/writer.h"
#include "llm/anthropic/messages.h"

namespace fuseboard::llm {
namespace {

// The budget that fits below the caps; 0: none.
std::uint64_t fitting_budget(Effort wanted, std::optional<std::uint64_t> cap) noexcept {
  for (const Effort effort : {Effort::high, Effort::medium, Effort::low}) {
    const std::uint64_t budget = thinking_budget(effort);
    if (budget <= thinking_budget(wanted) && (!cap || budget < *cap)) return budget;
  }
  return 0;
}

class AnthropicWriter {
 public:
  AnthropicWriter(const Conversation& conversation, const TranslationOptions& options)
      : conversation_(conversation), options_(options), out_(4096) {
    if (options.reasoning == Reasoning::budget && takes_thinking() && !is_after_call()) {
      budget_ = fitting_budget(conversation.effort, conversation.output_cap);
    }
  }

  std::string write() {
    out_.open('{').name("model").string(options_.model).name("max_tokens").number(max_tokens());
    write_system();
    out_.name("messages").open('[');
    for (const Turn& turn : conversation_.turns) {
      out_.open('{').name("role").string(turn.is_assistant ? "assistant" : "user").name("content");
      write_content(turn.blocks);
      out_.close('}');
    }
    out_.close(']');
    write_tools();
    write_sampling();
    if (conversation_.stream) out_.name("stream").raw("true");
    if (conversation_.user) out_.name("metadata").open('{').name("user_id").text(*conversation_.user).close('}');
    write_reasoning();
    return std::move(out_.close('}')).take();
  }

 private:
  // Thinking rules out a temperature or top_p, a forced tool and a begun answer.
  bool takes_thinking() const noexcept {
    double temperature = 1.0;
    const std::string_view number = conversation_.temperature;
    std::from_chars(number.data(), number.data() + number.size(), temperature);
    return temperature == 1.0 && conversation_.top_p.empty() && conversation_.choice != Choice::required &&
           conversation_.choice != Choice::named && !conversation_.turns.back().is_assistant;
  }

  bool is_after_call() const noexcept { return conversation_.turns.back().blocks.front().kind == Block::Kind::result; }

  std::uint64_t max_tokens() const noexcept {
    return conversation_.output_cap.value_or(options_.default_max_tokens + budget_);
  }

  void write_system() {
    if (conversation_.system.empty()) return;
    out_.name("system").begin_string();
    for (std::size_t i = 0; i < conversation_.system.size(); ++i) {
      if (i > 0) out_.append({.bytes = R"(\n\n)"});
      out_.append(conversation_.system[i]);
    }
    out_.end_string();
  }

  // A string where there is one text, else the blocks.
  void write_content(std::span<const Block> blocks) {
    if (blocks.size() == 1 && blocks[0].kind == Block::Kind::text) {
      out_.text(blocks[0].text);
      return;
    }
    out_.open('[');
    for (const Block& block : blocks) write_block(block);
    out_.close(']');
  }

  void write_block(const Block& block) {
    out_.open('{').name("type");
    switch (block.kind) {
      case Block::Kind::text:
        out_.string("text").name("text").text(block.text);
        break;
      case Block::Kind::image:
        out_.string("image").name("source");
        write_source(block);
        break;
      case Block::Kind::document:
        out_.string("document").name("source");
        write_source(block);
        out_.name("title").text(block.name);
        break;
      case Block::Kind::call:
        out_.string("tool_use")
            .name("id")
            .text(block.id)
            .name("name")
            .text(block.name)
            .name("input")
            .raw(block.arguments);
        break;
      case Block::Kind::result:
        write_result(block);
        break;
    }
    out_.close('}');
  }

  void write_result(const Block& result) {
    out_.string("tool_result").name("tool_use_id").text(result.id);
    if (!result.content.empty()) {
      out_.name("content");
      write_content(result.content);
    }
    if (result.is_error) out_.name("is_error").raw("true");
  }

  void write_source(const Block& block) {
    if (block.media_type.empty()) {
      out_.open('{').name("type").string("url").name("url").text(block.text).close('}');
      return;
    }
    out_.open('{').name("type").string("base64").name("media_type").text(block.media_type);
    out_.name("data").text(block.text).close('}');
  }

  void write_tools() {
    if (conversation_.tools.empty()) return;
    out_.name("tools").open('[');
    for (const Tool& tool : conversation_.tools) {
      out_.open('{').name("name").text(tool.name);
      if (tool.description) out_.name("description").text(*tool.description);
      out_.name("input_schema").raw(tool.schema);
      if (tool.strict) out_.name("strict").raw("true");
      out_.close('}');
    }
    out_.close(']');
    write_choice();
  }

  void write_choice() {
    if (conversation_.choice == Choice::automatic && conversation_.parallel) return;
    out_.name("tool_choice").open('{').name("type");
    switch (conversation_.choice) {
      case Choice::automatic:
        out_.string("auto");
        break;
      case Choice::none:
        out_.string("none");
        break;
      case Choice::required:
        out_.string("any");
        break;
      case Choice::named:
        out_.string("tool").name("name").text(conversation_.chosen);
        break;
    }
    if (!conversation_.parallel) out_.name("disable_parallel_tool_use").raw("true");
    out_.close('}');
  }

  void write_sampling() {
    if (!conversation_.stop.empty()) {
      out_.name("stop_sequences").open('[');
      for (const Text stop : conversation_.stop) out_.text(stop);
      out_.close(']');
    }
    if (!conversation_.temperature.empty()) out_.name("temperature").raw(conversation_.temperature);
    if (!conversation_.top_p.empty()) out_.name("top_p").raw(conversation_.top_p);
  }

  void write_reasoning() {
    const std::string_view effort = effort_word();
    if (!effort.empty() || !conversation_.schema.empty()) {
      out_.name("output_config").open('{');
      if (!effort.empty()) out_.name("effort").string(effort);
      if (!conversation_.schema.empty()) {
        out_.name("format").open('{').name("type").string("json_schema").name("schema");
        out_.raw(conversation_.schema).close('}');
      }
      out_.close('}');
    }
    if (budget_ > 0) {
      out_.name("thinking").open('{').name("type").string("enabled");
      out_.name("budget_tokens").number(budget_).close('}');
    } else if (!effort.empty() && takes_thinking()) {
      out_.name("thinking").raw(R"({"type":"adaptive"})");
    }
  }

  std::string_view effort_word() const noexcept {
    return options_.reasoning != Reasoning::effort ? std::string_view() : word(conversation_.effort);
  }

  const Conversation& conversation_;
  const TranslationOptions& options_;
  json::Writer out_;
  std::uint64_t budget_ = 0;  // of thinking; 0: none
};

}  // namespace

std::string write_anthropic_request(const Conversation& conversation, const TranslationOptions& options) {
  return AnthropicWriter(conversation, options).write();
}

}  // namespace fuseboard::llm
