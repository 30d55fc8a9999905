// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Fields: https://platform.openai.com/docs/api-reference/chat/create

#include "llm/conversation_reader.h"
#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

class OpenAiReader : private ConversationReader {
 public:
  OpenAiReader(Dialect to, const TranslationOptions& options) : ConversationReader(to, options) {}

  std::expected<Conversation, RequestError> read(Node root) {
    read_members(*this, root, kMembers, kForeigners);
    if (!has_messages_) wrong(Path{.name = "messages"}, "missing_required_parameter", "is missing");
    if (!conversation_.user) conversation_.user = safety_identifier_;
    if (!conversation_.output_cap) conversation_.output_cap = old_cap_;
    return finished();
  }

 private:
  friend class ConversationReader;

  static const std::array<Member<OpenAiReader>, 19> kMembers;
  static constexpr std::array kForeigners = std::to_array<Foreign>({
      {"n", {"1"}},
      {"logprobs", {"false"}},
      {"top_logprobs", {"0"}},
      {"logit_bias", {"{}"}},
      {"audio"},
      {"modalities", {R"(["text"])"}},
      {"seed"},
      {"presence_penalty", {"0"}},
      {"frequency_penalty", {"0"}},
      {"prediction"},
      {"store", {"false"}},
      {"metadata", {"{}"}},
      {"web_search_options"},
      {"functions", {"[]"}},
      {"function_call", {R"("none")", R"("auto")"}},
      {"service_tier", {R"("auto")", R"("default")"}},
      {"verbosity", {R"("medium")"}},
  });

  void messages(Node list, const Path& path);
  void message(Node message, const Path& path);
  void read_system(Node content, const Path& path);
  void read_user(Node content, const Path& path);
  void read_assistant(Node message, const Path& path);
  void read_result(Node message, const Path& path);
  void read_call(Node call, Turn& turn, const Path& path);
  void check_message(Node message, const Path& path);

  // Texts go to `blocks`; other parts too where `only_text` is false.
  void read_content(Node content, std::vector<Block>& blocks, bool only_text, const Path& path);
  void read_part(Node part, std::vector<Block>& blocks, bool only_text, const Path& path);
  void read_file(Node file, std::vector<Block>& blocks, const Path& path);

  void tools(Node list, const Path& path);
  void read_tool(Node tool, const Path& path);
  void tool_choice(Node choice, const Path& path);
  void named_choice(Node choice, const Path& path);
  void stop(Node node, const Path& path);
  void response_format(Node format, const Path& path);
  void reasoning_effort(Node effort, const Path& path);

  void parallel_tool_calls(Node node, const Path& path) {
    conversation_.parallel = node.says_nothing() || flag(node, path);
  }
  void temperature(Node node, const Path& path) { read_temperature(node, path); }
  void top_p(Node node, const Path& path) { conversation_.top_p = number(node, path); }
  void max_completion_tokens(Node node, const Path& path) { conversation_.output_cap = cap(node, path); }
  void max_tokens(Node node, const Path& path) { old_cap_ = cap(node, path); }
  void stream(Node node, const Path& path) { conversation_.stream = flag(node, path); }
  void user(Node node, const Path& path) {
    if (!node.says_nothing()) conversation_.user = text(node, path);
  }
  void safety_identifier(Node node, const Path& path) {
    if (!node.says_nothing()) safety_identifier_ = text(node, path);
  }
  // The caller of the translation says it, it goes without saying, or it is a hint.
  void ignore(Node, const Path&) {}

  bool has_messages_ = false;
  std::optional<Text> safety_identifier_{};
  std::optional<std::uint64_t> old_cap_{};  // max_tokens
};

constexpr std::array<ConversationReader::Member<OpenAiReader>, 19> OpenAiReader::kMembers = {{
    {"model", &OpenAiReader::ignore},
    {"messages", &OpenAiReader::messages},
    {"tools", &OpenAiReader::tools},
    {"tool_choice", &OpenAiReader::tool_choice},
    {"parallel_tool_calls", &OpenAiReader::parallel_tool_calls},
    {"stop", &OpenAiReader::stop},
    {"temperature", &OpenAiReader::temperature},
    {"top_p", &OpenAiReader::top_p},
    {"max_completion_tokens", &OpenAiReader::max_completion_tokens},
    {"max_tokens", &OpenAiReader::max_tokens},
    {"stream", &OpenAiReader::stream},
    {"stream_options", &OpenAiReader::ignore},
    {"user", &OpenAiReader::user},
    {"safety_identifier", &OpenAiReader::safety_identifier},
    {"response_format", &OpenAiReader::response_format},
    {"reasoning_effort", &OpenAiReader::reasoning_effort},
    {"prompt_cache_key", &OpenAiReader::ignore},
    {"prompt_cache_retention", &OpenAiReader::ignore},
    {"cache_control", &OpenAiReader::ignore},
}};

void OpenAiReader::messages(Node list, const Path& path) {
  has_messages_ = true;
  if (!list.is_array()) return wrong(path, "invalid_type", "must be an array");
  list.each_element([&](std::size_t i, Node element) { message(element, path[i]); });
}

void OpenAiReader::message(Node message, const Path& path) {
  if (!message.is_object()) return wrong(path, "invalid_type", "must be an object");
  const Node role = message.member("role");
  const Node content = message.member("content");
  check_message(message, path);
  if (role.is("user")) return read_user(content, path / "content");
  if (role.is("assistant")) return read_assistant(message, path);
  if (role.is("tool")) return read_result(message, path);
  if (role.is("system") || role.is("developer")) return read_system(content, path / "content");
  wrong(path / "role", "invalid_value", "must be system, developer, user, assistant or tool");
}

// A tool's result may repeat the name of the tool; what it answers is told by its id.
void OpenAiReader::check_message(Node message, const Path& path) {
  const bool is_result = message.member("role").is("tool");
  if (!is_result) check_foreign({"name"}, message.member("name"), path / "name");
  check_foreign({"audio"}, message.member("audio"), path / "audio");
  check_foreign({"function_call"}, message.member("function_call"), path / "function_call");
}

void OpenAiReader::read_system(Node content, const Path& path) {
  std::vector<Block> blocks;
  read_content(content, blocks, true, path);
  for (const Block& block : blocks) conversation_.system.push_back(block.text);
}

void OpenAiReader::read_user(Node content, const Path& path) {
  read_content(content, conversation_.turns.emplace_back().blocks, false, path);
}

void OpenAiReader::read_assistant(Node message, const Path& path) {
  Turn& turn = conversation_.turns.emplace_back(Turn{.is_assistant = true});
  const Node content = message.member("content");
  if (!content.says_nothing()) read_content(content, turn.blocks, true, path / "content");
  const Node refusal = message.member("refusal");
  if (!refusal.says_nothing()) turn.blocks.push_back({.text = text(refusal, path / "refusal")});
  const Node calls = message.member("tool_calls");
  if (calls.says_nothing()) return;
  const Path to_calls = path / "tool_calls";
  if (!calls.is_array()) return wrong(to_calls, "invalid_type", "must be an array");
  calls.each_element([&](std::size_t i, Node call) { read_call(call, turn, to_calls[i]); });
}

void OpenAiReader::read_call(Node call, Turn& turn, const Path& path) {
  const Node type = call.member("type");
  if (!type.says_nothing() && !type.is("function")) return unsupported(path / "type");
  const Path to_function = path / "function";
  const Node function = call.member("function");
  if (!function.is_object()) return wrong(to_function, "invalid_type", "must be an object");
  Block block{.kind = Block::Kind::call};
  block.id = text(call.member("id"), path / "id");
  block.name = text(function.member("name"), to_function / "name");
  block.arguments = arguments(function.member("arguments"), to_function / "arguments");
  turn.blocks.push_back(std::move(block));
}

void OpenAiReader::read_result(Node message, const Path& path) {
  Block block{.kind = Block::Kind::result};
  block.id = text(message.member("tool_call_id"), path / "tool_call_id");
  const Node content = message.member("content");
  if (!content.says_nothing()) read_content(content, block.content, true, path / "content");
  conversation_.turns.emplace_back().blocks.push_back(std::move(block));
}

void OpenAiReader::read_content(Node content, std::vector<Block>& blocks, bool only_text, const Path& path) {
  if (!content.is_array()) {
    blocks.push_back({.text = text(content, path)});
    return;
  }
  content.each_element([&](std::size_t i, Node part) { read_part(part, blocks, only_text, path[i]); });
}

void OpenAiReader::read_part(Node part, std::vector<Block>& blocks, bool only_text, const Path& path) {
  const Node type = part.member("type");
  if (type.is("text")) {
    blocks.push_back({.text = text(part.member("text"), path / "text")});
  } else if (type.is("refusal")) {
    blocks.push_back({.text = text(part.member("refusal"), path / "refusal")});
  } else if (type.is("image_url") && !only_text) {
    const Path to_image = path / "image_url";
    const Path to_url = to_image / "url";
    Block block{.kind = Block::Kind::image};
    read_url(text(part.member("image_url").member("url"), to_url), block, to_url);
    if (block.media_type.empty() || check_media(block, to_url)) blocks.push_back(std::move(block));
  } else if (type.is("file") && !only_text) {
    read_file(part.member("file"), blocks, path / "file");
  } else if (type.says_nothing()) {
    wrong(path / "type", "missing_required_parameter", "is missing");
  } else {
    unsupported(path / "type");
  }
}

void OpenAiReader::read_file(Node file, std::vector<Block>& blocks, const Path& path) {
  const Node id = file.member("file_id");
  if (!id.says_nothing()) return unsupported(path / "file_id");
  const Path to_data = path / "file_data";
  Block block{.kind = Block::Kind::document};
  read_url(text(file.member("file_data"), to_data), block, to_data);
  if (block.media_type.empty()) return wrong(to_data, "invalid_value", "must be a data URL in base64");
  const Node name = file.member("filename");
  if (!name.says_nothing()) block.name = text(name, path / "filename");
  if (check_media(block, to_data)) blocks.push_back(std::move(block));
}

void OpenAiReader::tools(Node list, const Path& path) {
  if (list.says_nothing()) return;
  if (!list.is_array()) return wrong(path, "invalid_type", "must be an array");
  list.each_element([&](std::size_t i, Node tool) { read_tool(tool, path[i]); });
}

void OpenAiReader::read_tool(Node tool, const Path& path) {
  if (!tool.member("type").is("function")) return unsupported(path / "type");
  const Path to_function = path / "function";
  const Node function = tool.member("function");
  if (!function.is_object()) return wrong(to_function, "invalid_type", "must be an object");
  Tool read{.name = text(function.member("name"), to_function / "name"), .schema = kNoParameters};
  if (const Node about = function.member("description"); !about.says_nothing()) {
    read.description = text(about, to_function / "description");
  }
  const Node parameters = function.member("parameters");
  if (!parameters.says_nothing() && !parameters.is_object()) {
    wrong(to_function / "parameters", "invalid_type", "must be an object");
  } else if (!parameters.says_nothing() && !parameters.is_empty()) {
    read.schema = parameters.raw();
  }
  read.strict = flag(function.member("strict"), to_function / "strict");
  conversation_.tools.push_back(read);
}

void OpenAiReader::tool_choice(Node choice, const Path& path) {
  if (choice.says_nothing() || choice.is("auto")) return;
  if (choice.is("none")) {
    conversation_.choice = Choice::none;
  } else if (choice.is("required")) {
    conversation_.choice = Choice::required;
  } else if (choice.is_object()) {
    named_choice(choice, path);
  } else {
    wrong(path, "invalid_value", "must be none, auto, required or the name of a function");
  }
}

void OpenAiReader::named_choice(Node choice, const Path& path) {
  if (!choice.member("type").is("function")) return unsupported(path / "type");
  const Path to_function = path / "function";
  conversation_.choice = Choice::named;
  conversation_.chosen = text(choice.member("function").member("name"), to_function / "name");
}

void OpenAiReader::stop(Node node, const Path& path) {
  if (node.says_nothing()) return;
  if (node.is_array()) return read_stop(node, path);
  const Text one = text(node, path);
  if (is_blank(one)) return unsupported(path);
  conversation_.stop.push_back(one);
}

void OpenAiReader::response_format(Node format, const Path& path) {
  const Node type = format.member("type");
  if (format.says_nothing() || type.is("text")) return;
  if (!type.is("json_schema")) return unsupported(path);
  const Path to_schema = path / "json_schema";
  const Node schema = format.member("json_schema").member("schema");
  if (!schema.is_object()) return wrong(to_schema / "schema", "invalid_type", "must be an object");
  conversation_.schema = schema.raw();
}

void OpenAiReader::reasoning_effort(Node effort, const Path& path) {
  constexpr auto kEfforts = std::to_array<Word<Effort>>({{"none", Effort::none},
                                                         {"minimal", Effort::low},
                                                         {"low", Effort::low},
                                                         {"medium", Effort::medium},
                                                         {"high", Effort::high},
                                                         {"xhigh", Effort::xhigh}});
  if (effort.says_nothing()) return;
  if (const auto read = one_of(kEfforts, effort, path)) conversation_.effort = *read;
}

}  // namespace

std::expected<Conversation, RequestError> read_openai_request(json::Tree::Node root, Dialect to,
                                                              const TranslationOptions& options) {
  return OpenAiReader(to, options).read(root);
}

}  // namespace fuseboard::llm
