// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// OpenAI's chat completions, for the rest of this module.
#pragma once

#include <memory>

#include "llm/codec.h"
#include "llm/stream_reader.h"

namespace fuseboard::llm {

extern const Codec kChatCompletionsCodec;

std::unique_ptr<StreamReader> make_chat_reader(StreamReaderOptions options);

// What the codec is made of.
std::expected<Conversation, RequestError> read_openai_request(json::Tree::Node root, Dialect to,
                                                              const TranslationOptions& options);
std::string write_openai_request(const Conversation& conversation, const TranslationOptions& options);
std::expected<std::vector<Delta>, std::string> completion_deltas(std::string_view body);
std::string completion_body(const WholeAnswer& answer);
std::unique_ptr<StreamWriter> make_chat_writer(RecoveryPoint point, bool recovers);
std::string openai_error(const ErrorParts& parts, std::string_view request_id);
std::string_view openai_error_type(int status, const ErrorDetails& error) noexcept;
void name_category_for_openai(Category category, ErrorDetails& error);
std::string openai_models(std::span<const ModelEntry> models);
std::string openai_model(const ModelEntry& model);

// {"prompt_tokens":...}
void append_openai_usage(std::string& out, const Usage& usage);

}  // namespace fuseboard::llm
