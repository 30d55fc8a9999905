// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/conversation_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "json/number.h"
#include "json/string_decoder.h"
#include "llm/codec.h"
#include "llm/request_parts.h"

namespace fuseboard::llm {
namespace {

double value_of(std::string_view number) noexcept {
  double value = 0.0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  const bool is_huge = read.ec == std::errc::result_out_of_range && !number.contains("e-") && !number.contains("E-");
  return is_huge ? HUGE_VAL : value;
}

// `text` is written without whitespace.
bool is_written(std::string_view raw, std::string_view text) noexcept {
  for (const char c : raw) {
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
  }
  return text.empty();
}

}  // namespace

std::string Path::text() const {
  if (outer == nullptr) return std::string(name);
  std::string whole = outer->text();
  if (name.empty()) return fmt::format("{}[{}]", whole, index);
  if (!whole.empty()) whole += '.';
  return whole.append(name);
}

void ConversationReader::wrong(const Path& path, std::string_view code, std::string_view problem) {
  if (!error_) error_ = wrong_parameter(path.text(), code, problem);
}

void ConversationReader::unsupported(const Path& path) {
  if (error_ || drops()) return;
  wrong(path, "unsupported_parameter",
        "cannot be translated to the dialect of " + std::string(codec(to_).conversations));
}

Text ConversationReader::text(Node node, const Path& path) {
  if (node.is_string()) return {.bytes = node.inside()};
  if (node.says_nothing()) {
    wrong(path, "missing_required_parameter", "is missing");
  } else {
    wrong(path, "invalid_type", "must be a string");
  }
  return {};
}

std::string_view ConversationReader::characters(Text text, const Path& path) {
  if (!text.is_raw || !text.bytes.contains('\\')) return text.bytes;
  auto unescaped = json::unescape('"' + std::string(text.bytes) + '"');
  if (!unescaped) {
    wrong(path, "invalid_value", "has half a surrogate pair");
    return {};
  }
  return conversation_.made.emplace_back(*std::move(unescaped));
}

std::string_view ConversationReader::number(Node node, const Path& path) {
  if (node.says_nothing()) return {};
  if (node.is_number()) return node.raw();
  wrong(path, "invalid_type", "must be a number");
  return {};
}

std::optional<std::uint64_t> ConversationReader::cap(Node node, const Path& path) {
  if (node.says_nothing()) return std::nullopt;
  const auto count = json::whole_number(node.raw());
  if (count && *count > 0) return count;
  wrong(path, "invalid_value", "must be a whole number above 0");
  return std::nullopt;
}

bool ConversationReader::flag(Node node, const Path& path) {
  if (node.raw() == "true") return true;
  if (!node.says_nothing() && node.raw() != "false") wrong(path, "invalid_type", "must be true or false");
  return false;
}

std::string_view ConversationReader::arguments(Node node, const Path& path) {
  constexpr std::string_view kNone = "{}";
  if (node.says_nothing()) return kNone;
  if (node.is_object()) return node.raw();
  std::string_view object = characters(text(node, path), path);
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = object.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return kNone;
  object = object.substr(begin, object.find_last_not_of(kSpace) + 1 - begin);
  const bool is_object = object.starts_with('{') && !json::validate(object);
  if (is_object && json::Tree(object).depth() <= kMaxTranslatedDepth) return object;
  wrong(path, "invalid_value", "must be a JSON object");
  return kNone;
}

// OpenAI takes up to 2, Anthropic up to 1.
void ConversationReader::read_temperature(Node node, const Path& path) {
  conversation_.temperature = number(node, path);
  if (value_of(conversation_.temperature) <= 1.0) return;
  if (drops()) {
    conversation_.temperature = "1";
  } else {
    wrong(path, "unsupported_parameter", "is above 1, the highest that Anthropic takes");
  }
}

// Anthropic takes no stop sequence of whitespace, OpenAI no more than four.
void ConversationReader::read_stop(Node list, const Path& path) {
  list.each_element([&](std::size_t i, Node node) {
    const Text stop = text(node, path[i]);
    const bool fits = !is_blank(stop) && conversation_.stop.size() < codec(to_).most_stop_sequences;
    if (fits) {
      conversation_.stop.push_back(stop);
    } else {
      unsupported(path[i]);
    }
  });
}

void ConversationReader::read_url(Text url, Block& block, const Path& path) {
  const bool may_be_data = url.bytes.starts_with("data:") || url.bytes.contains('\\');
  const std::string_view address = may_be_data ? characters(url, path) : url.bytes;
  block.text = url;
  if (!address.starts_with("data:")) {
    if (is_blank(url)) wrong(path, "invalid_value", "must be a URL");
    return;
  }
  constexpr std::string_view kMark = ";base64,";
  const std::size_t mark = address.find(kMark);
  if (mark == std::string_view::npos) return wrong(path, "invalid_value", "must be a data URL in base64");
  const std::string_view head = address.substr(5, mark - 5);
  block.media_type = {.bytes = head.substr(0, head.find(';')), .is_raw = false};
  block.text = {.bytes = address.substr(mark + kMark.size()), .is_raw = false};
  if (block.media_type.empty()) wrong(path, "invalid_value", "must be a data URL with a media type");
}

bool ConversationReader::check_media(const Block& block, const Path& path) {
  const std::string_view media_type = characters(block.media_type, path);
  if (media_type.empty() || media_type.find_first_of(";,") != std::string_view::npos) {
    wrong(path, "invalid_value", "must be a media type");
    return false;
  }
  if (block.kind != Block::Kind::document || media_type == "application/pdf") return true;
  unsupported(path);
  return false;
}

void ConversationReader::check_foreign(const Foreign& foreign, Node node, const Path& path) {
  if (node.says_nothing()) return;
  const bool is_default = std::ranges::any_of(foreign.defaults, [&](std::string_view value) {
    if (value.empty()) return false;
    const bool is_number = node.is_number() && value.front() >= '0' && value.front() <= '9';
    return is_number ? value_of(node.raw()) == value_of(value) : is_written(node.raw(), value);
  });
  if (!is_default) unsupported(path);
}

std::expected<Conversation, RequestError> ConversationReader::finished() {
  const bool needs_tools = conversation_.choice == Choice::required || conversation_.choice == Choice::named;
  if (needs_tools && conversation_.tools.empty()) {
    if (!drops()) wrong(Path{.name = "tool_choice"}, "invalid_value", "asks for a tool, and there is none");
    conversation_.choice = Choice::automatic;
  }
  normalize(conversation_);
  if (conversation_.turns.empty()) wrong(Path{.name = "messages"}, "invalid_value", "must hold something to answer");
  if (error_) return std::unexpected(*std::move(error_));
  return std::move(conversation_);
}

}  // namespace fuseboard::llm
