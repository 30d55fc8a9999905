// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/mentions.h"

#include <algorithm>
#include <array>
#include <bit>

#include "json/bytes16.h"

namespace fuseboard::llm {
namespace {

// A name, and where in it two neighbouring bytes stand that are rare in agents' conversations, which are code and
// base64: "_i", "_r", "o\"" or "64".
struct Name {
  std::string_view text;
  std::size_t pair;
};
constexpr std::array<Name, 6> kReferences = {{{R"("file_id")", 5},
                                              {R"("file_ids")", 5},
                                              {R"("item_reference")", 5},
                                              {R"("vector_store_ids")", 13},
                                              {R"("code_interpreter")", 5},
                                              {R"("audio")", 5}}};
constexpr Name kBase64 = {"base64", 4};

bool is_there(const Name& name, std::string_view text, std::size_t pair) noexcept {
  return pair >= name.pair && text.substr(pair - name.pair, name.text.size()) == name.text;
}

}  // namespace

void Mentions::look_until(std::size_t end) noexcept {
  while (looked_ < end && text_.size() - looked_ > sizeof(json::Bytes16)) {
    const json::Bytes16 first = json::bytes_at(text_.data() + looked_);
    const json::Bytes16 second = json::bytes_at(text_.data() + looked_ + 1);
    const json::Comparison16 pairs = ((first == '_') & ((second == 'i') | (second == 'r'))) |
                                     ((first == 'o') & (second == '"')) | ((first == '6') & (second == '4'));
    for (unsigned bits = json::bits_of(pairs); bits != 0; bits &= bits - 1) {
      look_at_pair(looked_ + static_cast<std::size_t>(std::countr_zero(bits)));
    }
    looked_ += sizeof(json::Bytes16);
  }
  for (; looked_ < end; ++looked_) look_at_pair(looked_);
}

void Mentions::look_at_pair(std::size_t at) noexcept {
  reference_ =
      reference_ || std::ranges::any_of(kReferences, [&](const Name& name) { return is_there(name, text_, at); });
  base64_ = base64_ || is_there(kBase64, text_, at);
}

}  // namespace fuseboard::llm
