// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "llm/json_reader.h"
#include "llm/json_scan.h"
#include "llm/json_text.h"

namespace fuseboard::llm {
namespace {

// A string literal of a valid text; nullopt if it has no UTF-8 form (half a surrogate pair).
std::optional<std::string> decoded(std::string_view literal) {
  const std::string_view inside = literal.substr(1, literal.size() - 2);
  if (!inside.contains('\\')) return std::string(inside);
  std::string_view text;
  if (open_json(literal).get_string().get(text)) return std::nullopt;
  return std::string(text);
}

// The members that decide how a request is handled, as written; empty: absent.
class DecidingMembers {
 public:
  enum Index : std::size_t { kModel, kMessages, kStream, kStreamOptions, kChoices, kMaxCompletion, kMaxTokens, kCount };
  static constexpr std::array<std::string_view, kCount> kNames = {
      "model", "messages", "stream", "stream_options", "n", "max_completion_tokens", "max_tokens"};

  void take(const JsonMember& member) {
    const auto name = decoded(member.name);
    if (!name) return;
    const auto found = std::ranges::find(kNames, *name);
    if (found == kNames.end()) return;
    const auto index = static_cast<std::size_t>(found - kNames.begin());
    if (!values_[index].empty() && !duplicate_) duplicate_ = *found;
    values_[index] = member.value;
  }

  std::string_view operator[](Index index) const noexcept { return values_[index]; }
  std::optional<std::string_view> duplicate() const noexcept { return duplicate_; }

 private:
  std::array<std::string_view, kCount> values_{};
  std::optional<std::string_view> duplicate_{};
};

// Lines and columns count from 1, columns in bytes.
RequestError not_json(std::string_view body, const JsonError& error) {
  const std::string_view before = body.substr(0, error.offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.message = fmt::format("The request body is not a valid JSON object: {} at line {}, column {} (byte {}).",
                                 error.what, line, error.offset - line_begin + 1, error.offset),
          .param = {},
          .code = "invalid_json"};
}

RequestError wrong(std::string_view param, std::string_view code, std::string_view problem) {
  return {.message = fmt::format("'{}' {}.", param, problem), .param = std::string(param), .code = std::string(code)};
}

// A boolean that may be absent or null.
std::optional<bool> flag(std::string_view value) noexcept {
  if (value.empty() || value == "null" || value == "false") return false;
  if (value == "true") return true;
  return std::nullopt;
}

std::optional<RequestError> read_model(std::string_view body, std::string_view value, ChatRequest& request) {
  if (value.empty()) return wrong("model", "missing_required_parameter", "is missing");
  if (!value.starts_with('"')) return wrong("model", "invalid_type", "must be a string");
  auto model = decoded(value);
  if (!model || model->empty()) return wrong("model", "invalid_value", "must be the name of a model");
  request.model = *std::move(model);
  request.model_begin = static_cast<std::size_t>(value.data() - body.data());
  request.model_end = request.model_begin + value.size();
  return std::nullopt;
}

std::optional<RequestError> read_stream_options(std::string_view value, ChatRequest& request) {
  if (value.empty() || value == "null") return std::nullopt;
  if (!value.starts_with('{')) return wrong("stream_options", "invalid_type", "must be an object");
  std::optional<bool> include_usage = false;
  validate_json_object(value, [&](const JsonMember& member) {
    if (decoded(member.name) == "include_usage") include_usage = flag(member.value);
  });
  if (!include_usage) return wrong("stream_options.include_usage", "invalid_type", "must be true or false");
  request.include_usage = *include_usage;
  return std::nullopt;
}

// The upstream is the judge of `n` and the caps: what is no natural number is passed on and asks for nothing here.
std::optional<std::uint64_t> natural(std::string_view value) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number == 0) return std::nullopt;
  return number;
}

}  // namespace

std::expected<ChatRequest, RequestError> parse_chat_request(std::string_view body) {
  DecidingMembers members;
  if (const auto error = validate_json_object(body, [&](const JsonMember& member) { members.take(member); })) {
    return std::unexpected(not_json(body, *error));
  }
  if (const auto name = members.duplicate()) {
    return std::unexpected(wrong(*name, "duplicate_parameter", "is given more than once"));
  }
  ChatRequest request;
  if (auto error = read_model(body, members[DecidingMembers::kModel], request))
    return std::unexpected(*std::move(error));

  const std::string_view messages = members[DecidingMembers::kMessages];
  if (messages.empty()) return std::unexpected(wrong("messages", "missing_required_parameter", "is missing"));
  if (!messages.starts_with('[')) return std::unexpected(wrong("messages", "invalid_type", "must be an array"));

  const auto stream = flag(members[DecidingMembers::kStream]);
  if (!stream) return std::unexpected(wrong("stream", "invalid_type", "must be true or false"));
  request.stream = *stream;
  if (auto error = read_stream_options(members[DecidingMembers::kStreamOptions], request)) {
    return std::unexpected(*std::move(error));
  }
  request.choices = natural(members[DecidingMembers::kChoices]).value_or(1);
  request.output_cap = natural(members[DecidingMembers::kMaxCompletion]);
  if (!request.output_cap) request.output_cap = natural(members[DecidingMembers::kMaxTokens]);
  return request;
}

std::string with_model(std::string_view body, const ChatRequest& request, std::string_view model) {
  std::string spliced;
  spliced.reserve(body.size() + model.size() + 2);
  spliced.append(body.substr(0, request.model_begin));
  append_json_string(spliced, model);
  spliced.append(body.substr(request.model_end));
  return spliced;
}

}  // namespace fuseboard::llm
