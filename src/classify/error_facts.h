// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a body says about a failure, whatever the shape: codes, messages, hints.
//
//   {"error":{"message","type","code"}}                            OpenAI, Anthropic, Groq, OpenRouter, ...
//   {"error":{"code","message","status","details":[...]}}          Google
//   {"error":"text","code":"..."}  {"error":"text","error_type"}   Ollama, xAI, Text Generation Inference
//   {"detail":"text"}  {"detail":[{"type","msg"}]}                 FastAPI
//   {"message":"text","type":"...","code":"..."}                   Mistral, AWS, Cohere
//   {"errors":[{"code","message"}]}                                Cloudflare, GraphQL
//   {"type","title","status","detail"}                             RFC 9457
//   {"error_code":17,"error_msg"}  {"code":1113,"msg","success":false}  Baidu, Zhipu, and under a 200
//   {"throttlingException":{"message"}}                            Bedrock event streams
//   [ one of these ]                                               Gemini
// and any of them as a string inside another's message, three deep.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "classify/error_tree.h"
#include "fuseboard/classify/classifier.h"
#include "fuseboard/core/time.h"

namespace fuseboard::classify_internal {

class ErrorFacts {
 public:
  static constexpr std::size_t kMaxCodes = 24;
  static constexpr std::size_t kMaxMessages = 6;
  static constexpr int kMaxNesting = 3;

  explicit ErrorFacts(std::optional<WallTime> now) noexcept : now_(now) {}
  ErrorFacts(const ErrorFacts&) = delete;  // views into its own text
  ErrorFacts& operator=(const ErrorFacts&) = delete;

  // Reads a body. Whatever it was, `text` must outlive this.
  void read_body(const ErrorTree& tree, std::string_view text) noexcept;
  // The same for a part of a tree that is an error: an object, or a text.
  void read_error(const ErrorTree& tree, const Node* error) noexcept;
  // Reads an error object that stands inside a text, as SDKs print them.
  void read_embedded(std::string_view text) noexcept;
  void add_code(std::string_view code) noexcept;
  void add_message(std::string_view message) noexcept;

  // An error was found, not merely a body.
  bool has_error() const noexcept { return has_error_; }
  // The more telling ones first.
  std::span<const std::string_view> codes() const noexcept { return {codes_.data(), code_count_}; }
  std::span<const std::string_view> messages() const noexcept { return {messages_.data(), message_count_}; }
  // A code that is an HTTP error status in digits.
  std::optional<int> status() const noexcept { return status_; }
  // MiniMax.
  std::optional<int> base_status() const noexcept { return base_status_; }
  // A numeric error_code beside an error_msg: Baidu.
  std::optional<int> message_code() const noexcept { return message_code_; }
  // The parameter that the error is about is the model.
  bool about_model() const noexcept { return about_model_; }
  std::optional<Duration> retry_after() const noexcept { return retry_after_; }
  // Google names the window of a quota in its id.
  bool long_window() const noexcept { return long_window_; }
  bool short_window() const noexcept { return short_window_; }
  bool nothing_allowed() const noexcept { return nothing_allowed_; }
  // And whether it is counted for each model.
  bool per_model() const noexcept { return per_model_; }

  // A string's text with its escapes resolved; a number as written; empty for everything else.
  std::string_view text_of(const Node* node) noexcept;

 private:
  void read_object(const ErrorTree& tree, const Node* object, int nesting) noexcept;
  void read_outer(const ErrorTree& tree, const Node* object, int nesting) noexcept;
  void read_value(const ErrorTree& tree, const Node* value, int nesting) noexcept;
  void read_text(std::string_view text, int nesting) noexcept;
  void read_details(const ErrorTree& tree, const Node* details, int nesting) noexcept;
  void read_detail(const ErrorTree& tree, const Node* detail, int nesting) noexcept;
  void read_metadata(const ErrorTree& tree, const Node* metadata, int nesting) noexcept;
  void read_hints(const ErrorTree& tree, const Node* object) noexcept;
  void read_quota(const ErrorTree& tree, const Node* violations) noexcept;
  void add_number_status(std::string_view digits) noexcept;
  void read_nested(std::string_view text, int nesting) noexcept;

  std::optional<WallTime> now_;
  bool has_error_ = false;
  bool long_window_ = false;
  bool short_window_ = false;
  bool nothing_allowed_ = false;
  bool per_model_ = false;
  std::optional<int> status_{};
  bool about_model_ = false;
  std::optional<int> base_status_{};
  std::optional<int> message_code_{};
  std::optional<Duration> retry_after_{};
  std::size_t code_count_ = 0;
  std::size_t message_count_ = 0;
  std::size_t used_ = 0;  // of text_
  std::array<std::string_view, kMaxCodes> codes_;
  std::array<std::string_view, kMaxMessages> messages_;
  // Strings without their escapes; not initialised.
  union {
    std::array<char, 6144> text_;
  };
};

// Whether a body under a 2xx says that it is an error. A tool's answer may hold a number beside a message without being
// one, so less is believed of it.
bool says_error(const ErrorTree& tree, Domain domain = Domain::llm) noexcept;

}  // namespace fuseboard::classify_internal
