// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "json/writer.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

constexpr std::string_view kAnswerSchema = "answer";  // OpenAI wants a name

class OpenAiWriter {
 public:
  OpenAiWriter(const Conversation& conversation, const TranslationOptions& options)
      : conversation_(conversation), options_(options), out_(4096) {}

  std::string write() {
    out_.open('{').name("model").string(options_.model);
    out_.name("messages").open('[');
    write_system();
    for (const Turn& turn : conversation_.turns) {
      if (turn.is_system) {
        begin_message("system");
        out_.name("content");
        write_content(turn.blocks);
        out_.close('}');
      } else if (turn.is_assistant) {
        write_assistant(turn);
      } else {
        write_user(turn);
      }
    }
    out_.close(']');
    write_tools();
    write_sampling();
    write_manner();
    return std::move(out_.close('}')).take();
  }

 private:
  void begin_message(std::string_view role) { out_.open('{').name("role").string(role); }

  void write_system() {
    if (conversation_.system.empty()) return;
    begin_message("system");
    out_.name("content").begin_string();
    for (std::size_t i = 0; i < conversation_.system.size(); ++i) {
      if (i > 0) out_.append({.bytes = R"(\n\n)"});
      out_.append(conversation_.system[i]);
    }
    out_.end_string().close('}');
  }

  void write_assistant(const Turn& turn) {
    const auto first_call = std::ranges::find(turn.blocks, Block::Kind::call, &Block::kind);
    const std::span<const Block> texts(turn.blocks.begin(), first_call);
    begin_message("assistant");
    out_.name("content");
    if (texts.empty()) {
      out_.raw("null");
    } else {
      write_content(texts);
    }
    if (first_call != turn.blocks.end()) {
      out_.name("tool_calls").open('[');
      for (const Block& call : std::span<const Block>(first_call, turn.blocks.end())) write_call(call);
      out_.close(']');
    }
    out_.close('}');
  }

  void write_call(const Block& call) {
    out_.open('{').name("id").text(call.id).name("type").string("function");
    out_.name("function").open('{').name("name").text(call.name);
    out_.name("arguments").string(call.arguments).close('}').close('}');
  }

  void write_user(const Turn& turn) {
    std::vector<Block> rest;  // what a result cannot hold comes before what the user says
    for (const Block& block : turn.blocks) {
      if (block.kind != Block::Kind::result) continue;
      write_result(block);
      add_media(block, rest);
    }
    const auto said =
        std::ranges::find_if(turn.blocks, [](const Block& block) { return block.kind != Block::Kind::result; });
    rest.insert(rest.end(), said, turn.blocks.end());
    if (rest.empty()) return;
    begin_message("user");
    out_.name("content");
    write_content(rest);
    out_.close('}');
  }

  // A tool's message holds nothing but text.
  void write_result(const Block& result) {
    std::vector<Block> texts;
    std::ranges::copy_if(result.content, std::back_inserter(texts),
                         [](const Block& block) { return block.kind == Block::Kind::text; });
    const bool has_media = texts.size() < result.content.size();
    const std::size_t parts = texts.size() + (has_media ? 1U : 0U);
    begin_message("tool");
    out_.name("tool_call_id").text(result.id).name("content");
    const bool is_list = parts > 1;
    if (is_list) out_.open('[');
    std::string_view prefix = result.is_error ? "Error: " : "";
    for (const Block& block : texts) {
      write_text_part(std::exchange(prefix, ""), block.text, is_list);
    }
    if (has_media) {
      write_text_part(prefix, {.bytes = "What cannot be shown here is in the next message of the user."}, is_list);
    }
    if (parts == 0) out_.string(result.is_error ? "Error" : "");
    if (is_list) out_.close(']');
    out_.close('}');
  }

  void write_text_part(std::string_view prefix, Text text, bool as_part) {
    if (as_part) out_.open('{').name("type").string("text").name("text");
    out_.joined({{.bytes = prefix}, text});
    if (as_part) out_.close('}');
  }

  // The images and documents of a result, under a line that says whose they are.
  static void add_media(const Block& result, std::vector<Block>& rest) {
    bool is_first = true;
    for (const Block& block : result.content) {
      if (block.kind == Block::Kind::text) continue;
      if (std::exchange(is_first, false)) {
        rest.push_back({.text = {.bytes = "From the result of the tool call "}, .id = result.id});
      }
      rest.push_back(block);
    }
  }

  // A string where there is one text, else the parts.
  void write_content(std::span<const Block> blocks) {
    if (blocks.size() == 1 && blocks[0].kind == Block::Kind::text) {
      out_.joined({blocks[0].text, blocks[0].id});
      return;
    }
    out_.open('[');
    for (const Block& block : blocks) write_part(block);
    out_.close(']');
  }

  void write_part(const Block& block) {
    if (block.kind == Block::Kind::text) {
      out_.open('{').name("type").string("text").name("text").joined({block.text, block.id}).close('}');
    } else if (block.kind == Block::Kind::image) {
      out_.open('{').name("type").string("image_url").name("image_url").open('{').name("url");
      write_url(block);
      out_.close('}').close('}');
    } else {
      out_.open('{').name("type").string("file").name("file").open('{').name("filename");
      out_.text(block.name).name("file_data");
      write_url(block);
      out_.close('}').close('}');
    }
  }

  void write_url(const Block& block) {
    if (block.media_type.empty()) {
      out_.text(block.text);
    } else {
      out_.joined({{.bytes = "data:"}, block.media_type, {.bytes = ";base64,"}, block.text});
    }
  }

  void write_tools() {
    if (conversation_.tools.empty()) return;
    out_.name("tools").open('[');
    for (const Tool& tool : conversation_.tools) {
      out_.open('{').name("type").string("function").name("function").open('{').name("name").text(tool.name);
      if (tool.description) out_.name("description").text(*tool.description);
      out_.name("parameters").raw(tool.schema);
      if (tool.strict) out_.name("strict").raw("true");
      out_.close('}').close('}');
    }
    out_.close(']');
    if (conversation_.choice == Choice::none) out_.name("tool_choice").string("none");
    if (conversation_.choice == Choice::required) out_.name("tool_choice").string("required");
    if (conversation_.choice == Choice::named) {
      out_.name("tool_choice").open('{').name("type").string("function");
      out_.name("function").open('{').name("name").text(conversation_.chosen).close('}').close('}');
    }
    if (!conversation_.parallel) out_.name("parallel_tool_calls").raw("false");
  }

  void write_sampling() {
    if (!conversation_.stop.empty()) {
      out_.name("stop").open('[');
      for (const Text stop : conversation_.stop) out_.text(stop);
      out_.close(']');
    }
    if (!conversation_.temperature.empty()) out_.name("temperature").raw(conversation_.temperature);
    if (!conversation_.top_p.empty()) out_.name("top_p").raw(conversation_.top_p);
    if (conversation_.output_cap) {
      out_.name(options_.legacy_max_tokens ? "max_tokens" : "max_completion_tokens");
      out_.number(*conversation_.output_cap);
    }
  }

  void write_manner() {
    if (conversation_.stream) {
      out_.name("stream").raw("true");
      if (options_.ask_usage) out_.name("stream_options").raw(R"({"include_usage":true})");
    }
    if (conversation_.user) out_.name("user").text(*conversation_.user);
    if (!conversation_.schema.empty()) {
      out_.name("response_format").open('{').name("type").string("json_schema").name("json_schema").open('{');
      out_.name("name").string(kAnswerSchema).name("schema").raw(conversation_.schema);
      out_.name("strict").raw("true").close('}').close('}');
    }
    const std::string_view effort = effort_word();
    if (!effort.empty()) out_.name("reasoning_effort").string(effort);
  }

  std::string_view effort_word() const noexcept {
    return options_.reasoning == Reasoning::leave_out ? std::string_view() : word(conversation_.effort);
  }

  const Conversation& conversation_;
  const TranslationOptions& options_;
  json::Writer out_;
};

}  // namespace

std::string write_openai_request(const Conversation& conversation, const TranslationOptions& options) {
  return OpenAiWriter(conversation, options).write();
}

}  // namespace fuseboard::llm
