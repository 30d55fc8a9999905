// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/openai_chat/chat_completions.h"

namespace fuseboard::llm {
namespace {

constexpr FinishWord kFinishWords[] = {
    {"stop", FinishReason::stop},
    {"stop", FinishReason::stop_sequence},
    {"length", FinishReason::length},
    {"tool_calls", FinishReason::tool_calls},
    {"function_call", FinishReason::tool_calls},
    {"content_filter", FinishReason::content_filter},
};

}  // namespace

constinit const Codec kChatCompletionsCodec = {
    .conversations = "OpenAI's chat completions",
    .read_request = read_openai_request,
    .write_request = write_openai_request,
    .most_stop_sequences = 4,
    .prefill_may_end_with_space = true,
    .read_answer = completion_deltas,
    .write_answer = completion_body,
    .make_stream_writer = make_chat_writer,
    .finish_words = kFinishWords,
    .error_body = openai_error,
    .error_event_head = "",
    .own_error_type = &GatewayErrorInfo::type,
    .error_type = openai_error_type,
    .name_category = name_category_for_openai,
    .models_body = openai_models,
    .model_body = openai_model,
};

}  // namespace fuseboard::llm
