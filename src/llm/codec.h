// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How each dialect says what all of them say: one row a dialect, each in a folder of its own. Included by sources of
// this module alone.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/category.h"
#include "json/tree.h"
#include "llm/answer.h"
#include "llm/conversation.h"
#include "llm/delta.h"
#include "llm/dialect.h"
#include "llm/errors.h"
#include "llm/stream_writer.h"
#include "llm/whole_answer.h"

namespace fuseboard::llm {

// Why an answer ended, as a dialect says it.
struct FinishWord {
  std::string_view word;
  FinishReason reason;
};

// What an error says; empty: nothing.
struct ErrorParts {
  std::string_view message;
  std::string_view type;
  std::string_view param{};
  std::string_view code{};
};

struct Codec {
  std::string_view conversations;  // what it calls them, for people

  // Of requests. `to` is the dialect that the conversation is read for; what is written has been through normalize().
  std::expected<Conversation, RequestError> (*read_request)(json::Tree::Node root, Dialect to,
                                                            const TranslationOptions& options);
  std::string (*write_request)(const Conversation& conversation, const TranslationOptions& options);
  std::size_t most_stop_sequences;  // that a request may have
  bool prefill_may_end_with_space;  // a begun answer, that is

  // Of answers. What is read has passed judge_answer().
  std::expected<std::vector<Delta>, std::string> (*read_answer)(std::string_view body);
  std::string (*write_answer)(const WholeAnswer& answer);
  std::unique_ptr<StreamWriter> (*make_stream_writer)(RecoveryPoint point,
                                                      bool recovers);  // recovers: it has begun already
  std::span<const FinishWord> finish_words;  // the first word of a reason is the one that is written

  // Of errors.
  std::string (*error_body)(const ErrorParts& parts, std::string_view request_id);
  std::string_view error_event_head;                    // before its data, inside a stream; may be empty
  std::string_view GatewayErrorInfo::* own_error_type;  // the column of the gateway's own errors
  std::string_view (*error_type)(int status, const ErrorDetails& error);  // of an upstream's
  // Puts the words for what a failure was judged to be in the place of those that are missing or say less.
  void (*name_category)(Category category, ErrorDetails& error);

  // Of models.
  std::string (*models_body)(std::span<const ModelEntry> models);
  std::string (*model_body)(const ModelEntry& model);
};

const Codec& codec(Dialect dialect) noexcept;

}  // namespace fuseboard::llm
