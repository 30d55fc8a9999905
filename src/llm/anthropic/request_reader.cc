// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Fields: https://docs.anthropic.com/en/api/messages

#include <charconv>

#include "llm/anthropic/messages.h"
#include "llm/conversation_reader.h"

namespace fuseboard::llm {
namespace {

class AnthropicReader : private ConversationReader {
 public:
  AnthropicReader(Dialect to, const TranslationOptions& options) : ConversationReader(to, options) {}

  std::expected<Conversation, RequestError> read(Node root) {
    read_members(*this, root, kMembers, kForeigners);
    if (!has_messages_) wrong(Path{.name = "messages"}, "missing_required_parameter", "is missing");
    if (!conversation_.output_cap) wrong(Path{.name = "max_tokens"}, "missing_required_parameter", "is missing");
    if (conversation_.effort == Effort::unsaid) conversation_.effort = effort_of_budget();
    return finished();
  }

 private:
  friend class ConversationReader;

  static const std::array<Member<AnthropicReader>, 16> kMembers;
  static constexpr std::array kForeigners = std::to_array<Foreign>({
      {"top_k"},
      {"container"},
      {"mcp_servers", {"[]"}},
      {"context_management"},
      {"inference_geo"},
      {"service_tier", {R"("auto")", R"("standard_only")"}},
      {"speed", {R"("standard")"}},
  });

  void system(Node system, const Path& path);
  void read_system(Node content, std::vector<Text>& texts, const Path& path);
  void messages(Node list, const Path& path);
  void message(Node message, const Path& path);
  void read_instructions(Node content, const Path& path);
  void read_user_block(Node block, std::vector<Block>& blocks, const Path& path);
  void read_assistant_block(Node block, std::vector<Block>& blocks, const Path& path);
  void read_call(Node block, std::vector<Block>& blocks, const Path& path);
  void read_result(Node block, std::vector<Block>& blocks, const Path& path);
  // Texts, images and documents.
  void read_matter(Node block, std::vector<Block>& blocks, const Path& path);
  void read_text(Node block, std::vector<Block>& blocks, const Path& path);
  void read_image(Node block, std::vector<Block>& blocks, const Path& path);
  void read_document(Node block, std::vector<Block>& blocks, const Path& path);
  void read_base64(Node source, Block block, std::vector<Block>& blocks, const Path& path);

  void tools(Node list, const Path& path);
  void read_tool(Node tool, const Path& path);
  void tool_choice(Node choice, const Path& path);
  void metadata(Node node, const Path& path);
  void thinking(Node node, const Path& path);
  void output_config(Node node, const Path& path);
  void output_format(Node node, const Path& path);
  void read_effort(Node node, const Path& path);
  Effort effort_of_budget() const noexcept;

  void stop_sequences(Node node, const Path& path) {
    if (!node.says_nothing() && !node.is_array()) wrong(path, "invalid_type", "must be an array");
    read_stop(node, path);
  }
  void temperature(Node node, const Path& path) { read_temperature(node, path); }
  void top_p(Node node, const Path& path) { conversation_.top_p = number(node, path); }
  void max_tokens(Node node, const Path& path) { conversation_.output_cap = cap(node, path); }
  void stream(Node node, const Path& path) { conversation_.stream = flag(node, path); }
  // The caller of the translation says it, or it is a hint.
  void ignore(Node, const Path&) {}

  bool has_messages_ = false;
  std::optional<std::uint64_t> budget_{};  // of thinking
};

constexpr std::array<ConversationReader::Member<AnthropicReader>, 16> AnthropicReader::kMembers = {{
    {"model", &AnthropicReader::ignore},
    {"messages", &AnthropicReader::messages},
    {"system", &AnthropicReader::system},
    {"max_tokens", &AnthropicReader::max_tokens},
    {"tools", &AnthropicReader::tools},
    {"tool_choice", &AnthropicReader::tool_choice},
    {"stop_sequences", &AnthropicReader::stop_sequences},
    {"temperature", &AnthropicReader::temperature},
    {"top_p", &AnthropicReader::top_p},
    {"stream", &AnthropicReader::stream},
    {"metadata", &AnthropicReader::metadata},
    {"thinking", &AnthropicReader::thinking},
    {"output_config", &AnthropicReader::output_config},
    {"output_format", &AnthropicReader::output_format},
    {"cache_control", &AnthropicReader::ignore},
    {"betas", &AnthropicReader::ignore},  // a header that some clients repeat in the body
}};

void AnthropicReader::system(Node system, const Path& path) {
  if (system.says_nothing()) return;
  std::vector<Text> texts;
  read_system(system, texts, path);
  // It may stand behind the messages, and comes before what they say.
  conversation_.system.insert(conversation_.system.begin(), texts.begin(), texts.end());
}

void AnthropicReader::read_system(Node content, std::vector<Text>& texts, const Path& path) {
  if (!content.is_array()) {
    texts.push_back(text(content, path));
    return;
  }
  content.each_element([&](std::size_t i, Node block) {
    const Path here = path[i];
    if (!block.member("type").is("text")) return unsupported(here / "type");
    texts.push_back(text(block.member("text"), here / "text"));
  });
}

void AnthropicReader::messages(Node list, const Path& path) {
  has_messages_ = true;
  if (!list.is_array()) return wrong(path, "invalid_type", "must be an array");
  list.each_element([&](std::size_t i, Node element) { message(element, path[i]); });
}

void AnthropicReader::message(Node message, const Path& path) {
  if (!message.is_object()) return wrong(path, "invalid_type", "must be an object");
  const Node role = message.member("role");
  const Path to_content = path / "content";
  const Node content = message.member("content");
  if (role.is("system") || role.is("developer")) return read_instructions(content, to_content);
  if (!role.is("user") && !role.is("assistant")) {
    return wrong(path / "role", "invalid_value", "must be user, assistant or system");
  }
  Turn& turn = conversation_.turns.emplace_back(Turn{.is_assistant = role.is("assistant")});
  if (!content.is_array()) {
    turn.blocks.push_back({.text = text(content, to_content)});
    return;
  }
  content.each_element([&](std::size_t i, Node block) {
    if (turn.is_assistant) {
      read_assistant_block(block, turn.blocks, to_content[i]);
    } else {
      read_user_block(block, turn.blocks, to_content[i]);
    }
  });
}

// Among the messages: those that open the conversation are its system prompt, the others keep their place.
void AnthropicReader::read_instructions(Node content, const Path& path) {
  std::vector<Text> texts;
  read_system(content, texts, path);
  if (conversation_.turns.empty()) {
    conversation_.system.insert(conversation_.system.end(), texts.begin(), texts.end());
    return;
  }
  Turn& turn = conversation_.turns.emplace_back(Turn{.is_system = true});
  for (const Text& said : texts) turn.blocks.push_back({.text = said});
}

void AnthropicReader::read_user_block(Node block, std::vector<Block>& blocks, const Path& path) {
  if (block.member("type").is("tool_result")) return read_result(block, blocks, path);
  read_matter(block, blocks, path);
}

void AnthropicReader::read_assistant_block(Node block, std::vector<Block>& blocks, const Path& path) {
  const Node type = block.member("type");
  if (type.is("text")) return read_text(block, blocks, path);
  if (type.is("tool_use")) return read_call(block, blocks, path);
  if (type.is("thinking") || type.is("redacted_thinking")) return;
  if (type.says_nothing()) return wrong(path / "type", "missing_required_parameter", "is missing");
  unsupported(path / "type");
}

void AnthropicReader::read_call(Node block, std::vector<Block>& blocks, const Path& path) {
  const Node input = block.member("input");
  Block call{.kind = Block::Kind::call, .arguments = arguments(input, path / "input")};
  call.id = text(block.member("id"), path / "id");
  call.name = text(block.member("name"), path / "name");
  if (!input.exists()) wrong(path / "input", "missing_required_parameter", "is missing");
  blocks.push_back(std::move(call));
}

void AnthropicReader::read_result(Node block, std::vector<Block>& blocks, const Path& path) {
  Block result{.kind = Block::Kind::result};
  result.id = text(block.member("tool_use_id"), path / "tool_use_id");
  result.is_error = flag(block.member("is_error"), path / "is_error");
  const Path to_content = path / "content";
  const Node content = block.member("content");
  if (content.is_array()) {
    content.each_element([&](std::size_t i, Node part) { read_matter(part, result.content, to_content[i]); });
  } else if (!content.says_nothing()) {
    result.content.push_back({.text = text(content, to_content)});
  }
  blocks.push_back(std::move(result));
}

void AnthropicReader::read_matter(Node block, std::vector<Block>& blocks, const Path& path) {
  const Node type = block.member("type");
  if (type.is("text")) return read_text(block, blocks, path);
  if (type.is("image")) return read_image(block, blocks, path);
  if (type.is("document")) return read_document(block, blocks, path);
  if (type.says_nothing()) return wrong(path / "type", "missing_required_parameter", "is missing");
  unsupported(path / "type");
}

void AnthropicReader::read_text(Node block, std::vector<Block>& blocks, const Path& path) {
  blocks.push_back({.text = text(block.member("text"), path / "text")});
}

void AnthropicReader::read_image(Node block, std::vector<Block>& blocks, const Path& path) {
  const Path to_source = path / "source";
  const Node source = block.member("source");
  const Node type = source.member("type");
  Block image{.kind = Block::Kind::image};
  if (type.is("base64")) return read_base64(source, std::move(image), blocks, to_source);
  if (!type.is("url")) return unsupported(to_source / "type");
  const Path to_url = to_source / "url";
  read_url(text(source.member("url"), to_url), image, to_url);
  if (image.media_type.empty() || check_media(image, to_url)) blocks.push_back(std::move(image));
}

void AnthropicReader::read_document(Node block, std::vector<Block>& blocks, const Path& path) {
  const Path to_source = path / "source";
  const Node source = block.member("source");
  check_foreign({"context"}, block.member("context"), path / "context");
  const Node cites = block.member("citations").member("enabled");
  const Path to_citations = path / "citations";
  check_foreign({"enabled", {"false"}}, cites, to_citations / "enabled");
  const Node title = block.member("title");
  if (source.member("type").is("text")) {
    if (!title.says_nothing()) blocks.push_back({.text = text(title, path / "title")});
    blocks.push_back({.text = text(source.member("data"), to_source / "data")});
    return;
  }
  if (!source.member("type").is("base64")) return unsupported(to_source / "type");
  Block document{.kind = Block::Kind::document};
  if (!title.says_nothing()) document.name = text(title, path / "title");
  read_base64(source, std::move(document), blocks, to_source);
}

void AnthropicReader::read_base64(Node source, Block block, std::vector<Block>& blocks, const Path& path) {
  const Path to_media_type = path / "media_type";
  block.media_type = text(source.member("media_type"), to_media_type);
  const Path to_data = path / "data";
  block.text = text(source.member("data"), to_data);
  characters(block.text, to_data);  // it becomes part of a URL, which is read as characters
  if (check_media(block, to_media_type)) blocks.push_back(std::move(block));
}

void AnthropicReader::tools(Node list, const Path& path) {
  if (list.says_nothing()) return;
  if (!list.is_array()) return wrong(path, "invalid_type", "must be an array");
  list.each_element([&](std::size_t i, Node tool) { read_tool(tool, path[i]); });
}

// Tools of a type of their own run at Anthropic, or are made for its models.
void AnthropicReader::read_tool(Node tool, const Path& path) {
  const Node type = tool.member("type");
  if (!type.says_nothing() && !type.is("custom")) return unsupported(path / "type");
  for (const Foreign& foreign : {Foreign{"defer_loading", {"false"}}, Foreign{"input_examples", {"[]"}},
                                 Foreign{"allowed_callers", {R"(["direct"])"}}}) {
    check_foreign(foreign, tool.member(foreign.name), path / foreign.name);
  }
  const Node schema = tool.member("input_schema");
  if (!schema.is_object()) wrong(path / "input_schema", "invalid_type", "must be an object");
  Tool read{.name = text(tool.member("name"), path / "name"), .schema = schema.raw()};
  if (schema.is_empty()) read.schema = kNoParameters;
  if (const Node about = tool.member("description"); !about.says_nothing()) {
    read.description = text(about, path / "description");
  }
  read.strict = flag(tool.member("strict"), path / "strict");
  conversation_.tools.push_back(read);
}

void AnthropicReader::tool_choice(Node choice, const Path& path) {
  constexpr auto kChoices = std::to_array<Word<Choice>>(
      {{"none", Choice::none}, {"auto", Choice::automatic}, {"any", Choice::required}, {"tool", Choice::named}});
  if (choice.says_nothing()) return;
  if (const auto read = one_of(kChoices, choice.member("type"), path / "type")) conversation_.choice = *read;
  if (conversation_.choice == Choice::named) conversation_.chosen = text(choice.member("name"), path / "name");
  constexpr std::string_view kAlone = "disable_parallel_tool_use";
  conversation_.parallel = !flag(choice.member(kAlone), path / kAlone);
}

void AnthropicReader::metadata(Node node, const Path& path) {
  if (!node.says_nothing() && !node.is_object()) return wrong(path, "invalid_type", "must be an object");
  node.each_member([&](std::string_view name, Node value) {
    if (name != "user_id") return unsupported(path / name);
    if (!value.says_nothing()) conversation_.user = text(value, path / name);
  });
}

void AnthropicReader::thinking(Node node, const Path& path) {
  const Node type = node.member("type");
  if (node.says_nothing() || type.is("disabled") || type.is("adaptive")) return;
  if (!type.is("enabled")) return wrong(path / "type", "invalid_value", "must be enabled, disabled or adaptive");
  budget_ = cap(node.member("budget_tokens"), path / "budget_tokens");
}

// The highest effort whose budget is within the one asked for, and below the cap on output.
Effort AnthropicReader::effort_of_budget() const noexcept {
  if (!budget_ || !conversation_.output_cap) return Effort::unsaid;
  for (const Effort effort : {Effort::high, Effort::medium, Effort::low}) {
    const std::uint64_t needs = thinking_budget(effort);
    if (needs <= *budget_ && needs < *conversation_.output_cap) return effort;
  }
  return Effort::unsaid;
}

void AnthropicReader::output_config(Node node, const Path& path) {
  if (!node.says_nothing() && !node.is_object()) return wrong(path, "invalid_type", "must be an object");
  node.each_member([&](std::string_view name, Node value) {
    if (name == "effort") return read_effort(value, path / name);
    if (name == "format") return output_format(value, path / name);
    check_foreign({name}, value, path / name);
  });
}

// At the top level under its older name.
void AnthropicReader::output_format(Node node, const Path& path) {
  if (node.says_nothing()) return;
  if (!node.member("type").is("json_schema")) return unsupported(path / "type");
  const Node schema = node.member("schema");
  if (!schema.is_object()) return wrong(path / "schema", "invalid_type", "must be an object");
  conversation_.schema = schema.raw();
}

void AnthropicReader::read_effort(Node node, const Path& path) {
  constexpr auto kEfforts = std::to_array<Word<Effort>>({{"low", Effort::low},
                                                         {"medium", Effort::medium},
                                                         {"high", Effort::high},
                                                         {"xhigh", Effort::xhigh},
                                                         {"max", Effort::xhigh}});
  if (node.says_nothing()) return;
  if (const auto read = one_of(kEfforts, node, path)) conversation_.effort = *read;
}

}  // namespace

std::expected<Conversation, RequestError> read_anthropic_request(json::Tree::Node root, Dialect to,
                                                                 const TranslationOptions& options) {
  return AnthropicReader(to, options).read(root);
}

}  // namespace fuseboard::llm
