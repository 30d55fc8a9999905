// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "json/number.h"
#include "llm/mentions.h"
#include "llm/request_parts.h"

namespace fuseboard::llm {
namespace {

constexpr unsigned bit(Endpoint endpoint) noexcept { return 1U << static_cast<unsigned>(endpoint); }
constexpr unsigned kChat = bit(Endpoint::chat_completions);
constexpr unsigned kResponses = bit(Endpoint::responses);
constexpr unsigned kEmbeddings = bit(Endpoint::embeddings);
constexpr unsigned kMessages = bit(Endpoint::messages);
constexpr unsigned kCountTokens = bit(Endpoint::count_tokens);
constexpr unsigned kOther = bit(Endpoint::other);

// As readers that ignore case compare it: in lower case, and with the two letters beyond ASCII that fold into it, the
// long s and the Kelvin sign (Unicode's CaseFolding.txt; Go's encoding/json does so).
std::string folded_name(std::string_view name) {
  constexpr std::string_view kLongS = "\u017F";
  constexpr std::string_view kKelvin = "\u212A";
  std::string folded;
  while (!name.empty()) {
    std::size_t taken = 1;
    if (name.starts_with(kLongS)) {
      folded += 's';
      taken = kLongS.size();
    } else if (name.starts_with(kKelvin)) {
      folded += 'k';
      taken = kKelvin.size();
    } else {
      const char c = name.front();
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    name.remove_prefix(taken);
  }
  return folded;
}

// The members that decide how a request is handled, as written; empty: absent.
class DecidingMembers {
 public:
  enum Index : std::size_t {
    model,
    messages,
    input,
    stream,
    stream_options,
    usage,
    choices,
    max_completion_tokens,
    max_tokens,
    max_output_tokens,
    response_format,
    logprobs,
    modalities,
    web_search_options,
    thinking,
    output_config,
    output_format,
    previous_response_id,
    conversation,
    prompt,
    tools,
    container,
    count,
  };

  explicit DecidingMembers(Endpoint endpoint) noexcept : endpoint_(bit(endpoint)) {}

  void take(const json::Member& member) {
    const std::string_view inside = member.name.substr(1, member.name.size() - 2);
    if (!inside.contains('\\')) return put(inside, member.value);
    if (const auto name = decoded_literal(member.name)) put(*name, member.value);
  }

  std::string_view operator[](Index index) const noexcept { return values_[index]; }
  std::optional<std::string_view> duplicate() const noexcept { return duplicate_; }
  // A member that many a server reads as the one that decides, whatever its case; and that one's name.
  struct Variant {
    std::string written;
    std::string_view name;
  };
  const std::optional<Variant>& variant() const noexcept { return variant_; }

 private:
  struct Name {
    std::string_view text;
    unsigned endpoints;  // where it decides anything
  };
  static constexpr std::array<Name, count> kNames = {{
      {"model", kChat | kResponses | kEmbeddings | kMessages | kCountTokens | kOther},
      {"messages", kChat | kMessages | kCountTokens},
      {"input", kResponses | kEmbeddings},
      {"stream", kChat | kResponses | kMessages | kOther},
      {"stream_options", kChat},
      {"usage", kChat},
      {"n", kChat},
      {"max_completion_tokens", kChat},
      {"max_tokens", kChat | kMessages},
      {"max_output_tokens", kResponses},
      {"response_format", kChat},
      {"logprobs", kChat},
      {"modalities", kChat},
      {"web_search_options", kChat},
      {"thinking", kMessages},
      {"output_config", kMessages},
      {"output_format", kMessages},
      {"previous_response_id", kResponses},
      {"conversation", kResponses},
      {"prompt", kResponses},
      {"tools", kResponses},
      {"container", kMessages},
  }};

  void put(std::string_view name, std::string_view value) {
    const auto found = std::ranges::find(kNames, name, &Name::text);
    if (found == kNames.end()) return look_for_variant(name);
    if ((found->endpoints & endpoint_) == 0) return;
    const auto index = static_cast<std::size_t>(found - kNames.begin());
    const bool decides = endpoint_ != kOther || index == model;
    if (!values_[index].empty() && decides && !duplicate_) duplicate_ = found->text;
    values_[index] = value;
  }

  void look_for_variant(std::string_view name) {
    if (variant_ || name.size() > kLongestVariant) return;
    const std::string folded = folded_name(name);
    const auto found = std::ranges::find(kNames, std::string_view(folded), &Name::text);
    if (found == kNames.end() || (found->endpoints & endpoint_) == 0) return;
    const bool decides = endpoint_ != kOther || found->text == kNames[model].text;
    if (decides) variant_ = Variant{.written = std::string(name), .name = found->text};
  }

  static constexpr std::size_t kLongestVariant = 64;  // in UTF-8, of a name of at most 21 letters

  unsigned endpoint_;
  std::array<std::string_view, count> values_{};
  std::optional<std::string_view> duplicate_{};
  std::optional<Variant> variant_{};
};

using Problem = std::optional<RequestError>;

// A boolean that may be absent or null.
std::optional<bool> flag(std::string_view value) noexcept {
  if (says_nothing(value) || value == "false") return false;
  if (value == "true") return true;
  return std::nullopt;
}

Problem read_model(std::string_view body, std::string_view value, RequestFacts& facts) {
  if (value.empty()) return wrong_parameter("model", "missing_required_parameter", "is missing");
  if (!value.starts_with('"')) return wrong_parameter("model", "invalid_type", "must be a string");
  auto model = decoded_literal(value);
  if (!model || model->empty()) return wrong_parameter("model", "invalid_value", "must be the name of a model");
  facts.model = *std::move(model);
  facts.model_begin = static_cast<std::size_t>(value.data() - body.data());
  facts.model_end = facts.model_begin + value.size();
  return std::nullopt;
}

// What the endpoint is about must be there.
Problem check_matter(Endpoint endpoint, const DecidingMembers& members) {
  if (endpoint == Endpoint::embeddings && says_nothing(members[DecidingMembers::input])) {
    return wrong_parameter("input", "missing_required_parameter", "is missing");
  }
  if ((bit(endpoint) & (kChat | kMessages | kCountTokens)) == 0) return std::nullopt;
  const std::string_view messages = members[DecidingMembers::messages];
  if (messages.empty()) return wrong_parameter("messages", "missing_required_parameter", "is missing");
  if (!messages.starts_with('[')) return wrong_parameter("messages", "invalid_type", "must be an array");
  return std::nullopt;
}

Problem read_stream(std::string_view body, Endpoint endpoint, const DecidingMembers& members, RequestFacts& facts) {
  const auto stream = flag(members[DecidingMembers::stream]);
  if (!stream && endpoint != Endpoint::other) {
    return wrong_parameter("stream", "invalid_type", "must be true or false");
  }
  facts.stream = stream.value_or(false);
  facts.include_usage = endpoint != Endpoint::chat_completions;
  facts.may_ask_usage = facts.stream && !facts.include_usage && says_nothing(members[DecidingMembers::usage]);
  const std::string_view options = members[DecidingMembers::stream_options];
  if (!options.empty()) {
    facts.options_begin = static_cast<std::size_t>(options.data() - body.data());
    facts.options_end = facts.options_begin + options.size();
  }
  if (says_nothing(options)) return std::nullopt;
  if (!options.starts_with('{')) return wrong_parameter("stream_options", "invalid_type", "must be an object");
  const auto include_usage = flag(member_of(options, "include_usage"));
  if (!include_usage) {
    return wrong_parameter("stream_options.include_usage", "invalid_type", "must be true or false");
  }
  facts.include_usage = *include_usage;
  facts.may_ask_usage = facts.may_ask_usage && !*include_usage;
  return std::nullopt;
}

// The upstream is the judge of `n` and the caps: what is no natural number is passed on and asks for nothing here.
std::optional<std::uint64_t> natural(std::string_view value) noexcept {
  const auto number = json::whole_number(value);
  return number && *number > 0 ? number : std::nullopt;
}

void read_caps(const DecidingMembers& members, RequestFacts& facts) {
  facts.choices = natural(members[DecidingMembers::choices]).value_or(1);
  for (const auto name :
       {DecidingMembers::max_completion_tokens, DecidingMembers::max_tokens, DecidingMembers::max_output_tokens}) {
    if (!facts.output_cap) facts.output_cap = natural(members[name]);
  }
}

bool is_continuable(Endpoint endpoint, const DecidingMembers& members, const RequestFacts& facts) {
  if (!translates(endpoint) || facts.choices != 1) return false;
  const std::string_view format = members[DecidingMembers::response_format];
  const std::string_view thinking = members[DecidingMembers::thinking];
  return (says_nothing(format) || member_of(format, "type") == R"("text")") &&
         flag(members[DecidingMembers::logprobs]) == false &&
         !members[DecidingMembers::modalities].contains(R"("audio")") &&
         says_nothing(members[DecidingMembers::web_search_options]) &&
         (says_nothing(thinking) || member_of(thinking, "type") == R"("disabled")") &&
         says_nothing(members[DecidingMembers::output_format]) &&
         says_nothing(member_of(members[DecidingMembers::output_config], "format"));
}

std::string_view binding(const DecidingMembers& members, const Mentions& mentions) {
  if (!says_nothing(members[DecidingMembers::previous_response_id])) return "previous_response_id";
  if (!says_nothing(members[DecidingMembers::conversation])) return "conversation";
  if (!says_nothing(members[DecidingMembers::prompt])) return "prompt";
  const std::string_view container = members[DecidingMembers::container];
  if (container.starts_with('"') || !says_nothing(member_of(container, "id"))) return "container";
  if (!mentions.reference()) return {};
  const std::string_view messages = members[DecidingMembers::messages];
  return binding_reference(messages.empty() ? members[DecidingMembers::input] : messages,
                           members[DecidingMembers::tools]);
}

}  // namespace

RequestError not_json(std::string_view body, const json::Error& error) {
  const std::string_view before = body.substr(0, error.offset);
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {.message = fmt::format("The request body is not a valid JSON object: {} at line {}, column {} (byte {}).",
                                 error.what, line, error.offset - line_begin + 1, error.offset),
          .param = {},
          .code = "invalid_json"};
}

RequestError wrong_parameter(std::string_view param, std::string_view code, std::string_view problem) {
  return {.message = fmt::format("'{}' {}.", param, problem), .param = std::string(param), .code = std::string(code)};
}

std::expected<RequestFacts, RequestError> parse_request(Endpoint endpoint, std::string_view body) {
  DecidingMembers members(endpoint);
  Mentions mentions(body);
  if (const auto error = json::validate_object(
          body, [&](const json::Member& member) { members.take(member); },
          [&](std::size_t end) { mentions.look_until(end); })) {
    return std::unexpected(not_json(body, *error));
  }
  if (const auto name = members.duplicate()) {
    return std::unexpected(wrong_parameter(*name, "duplicate_parameter", "is given more than once"));
  }
  if (const auto& variant = members.variant()) {
    // The upstream might go by the one and we by the other.
    return std::unexpected(wrong_parameter(variant->written, "unknown_parameter",
                                           fmt::format("is not a parameter; write '{}'", variant->name)));
  }
  RequestFacts facts;
  if (auto error = read_model(body, members[DecidingMembers::model], facts)) return std::unexpected(*std::move(error));
  if (auto error = check_matter(endpoint, members)) return std::unexpected(*std::move(error));
  if (auto error = read_stream(body, endpoint, members, facts)) return std::unexpected(*std::move(error));
  read_caps(members, facts);
  facts.continuable = is_continuable(endpoint, members, facts);
  facts.bound_by = binding(members, mentions);
  if (mentions.base64()) facts.inline_data = inline_data(body);
  if (const std::string_view previous = members[DecidingMembers::previous_response_id]; previous.starts_with('"')) {
    facts.previous_response_id = decoded_literal(previous).value_or("");
  }
  return facts;
}

}  // namespace fuseboard::llm
