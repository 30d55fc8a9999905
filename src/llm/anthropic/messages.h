// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Anthropic's messages, for the rest of this module.
#pragma once

#include <memory>

#include "llm/codec.h"
#include "llm/stream_reader.h"

namespace fuseboard::llm {

extern const Codec kMessagesCodec;

std::unique_ptr<StreamReader> make_messages_reader(StreamReaderOptions options);

// What the codec is made of.
std::expected<Conversation, RequestError> read_anthropic_request(json::Tree::Node root, Dialect to,
                                                                 const TranslationOptions& options);
std::string write_anthropic_request(const Conversation& conversation, const TranslationOptions& options);
std::expected<std::vector<Delta>, std::string> message_deltas(std::string_view body);
std::string message_body(const WholeAnswer& answer);
std::unique_ptr<StreamWriter> make_messages_writer(RecoveryPoint point, bool recovers);
std::string anthropic_error(const ErrorParts& parts, std::string_view request_id);
std::string_view anthropic_error_type(int status, const ErrorDetails& error) noexcept;
std::string anthropic_models(std::span<const ModelEntry> models);
std::string anthropic_model(const ModelEntry& model);

// {"input_tokens":...}; Anthropic's input_tokens are those that no cache had to do with.
void append_anthropic_usage(std::string& out, const Usage& usage);

// "stop_reason":...,"stop_sequence":...
void append_stop_members(std::string& out, FinishReason reason, std::string_view stop_sequence, bool has_calls);

}  // namespace fuseboard::llm
