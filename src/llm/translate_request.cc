// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_request.h"

#include "json/tree.h"
#include "llm/conversation.h"
#include "llm/request_parts.h"

namespace fuseboard::llm {

std::expected<std::string, RequestError> translate_request(Dialect from, Dialect to, std::string_view body,
                                                           const TranslationOptions& options) {
  if (auto error = no_tree(body)) return std::unexpected(*std::move(error));
  const json::Tree tree(body);
  if (tree.depth() > kMaxTranslatedDepth) {
    return std::unexpected(
        RequestError{.message = "The request body is nested too deeply.", .param = {}, .code = "invalid_value"});
  }
  const auto conversation = from == Dialect::openai ? read_openai_request(tree.root(), options)
                                                    : read_anthropic_request(tree.root(), options);
  if (!conversation) return std::unexpected(conversation.error());
  return to == Dialect::openai ? write_openai_request(*conversation, options)
                               : write_anthropic_request(*conversation, options);
}

}  // namespace fuseboard::llm
