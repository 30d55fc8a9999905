// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>

#include "llm/anthropic/messages.h"

namespace fuseboard::llm {
namespace {

constexpr FinishWord kFinishWords[] = {
    {"end_turn", FinishReason::stop},       {"stop_sequence", FinishReason::stop_sequence},
    {"max_tokens", FinishReason::length},   {"model_context_window_exceeded", FinishReason::length},
    {"tool_use", FinishReason::tool_calls}, {"refusal", FinishReason::content_filter},
};

}  // namespace

constinit const Codec kMessagesCodec = {
    .conversations = "Anthropic's messages",
    .read_request = read_anthropic_request,
    .write_request = write_anthropic_request,
    .most_stop_sequences = std::numeric_limits<std::size_t>::max(),
    .prefill_may_end_with_space = false,
    .read_answer = message_deltas,
    .write_answer = message_body,
    .make_stream_writer = make_messages_writer,
    .finish_words = kFinishWords,
    .error_body = anthropic_error,
    .error_event_head = "event: error\n",
    .own_error_type = &GatewayErrorInfo::anthropic_type,
    .error_type = anthropic_error_type,
    .name_category = [](Category, ErrorDetails&) {},  // its types say all that it has a word for
    .models_body = anthropic_models,
    .model_body = anthropic_model,
};

}  // namespace fuseboard::llm
