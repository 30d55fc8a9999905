// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/translate_request.h"

#include "json/tree.h"
#include "llm/codec.h"
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
  const auto conversation = codec(from).read_request(tree.root(), to, options);
  if (!conversation) return std::unexpected(conversation.error());
  return codec(to).write_request(*conversation, options);
}

}  // namespace fuseboard::llm
