// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a stream of an answer says about the answer, and where it stands.
#pragma once

#include <cstdint>
#include <string>

namespace fuseboard::llm {

// `id` and `model` serve where the source of the answer names none. `created`: seconds since 1970 (UTC); OpenAI alone
// says it.
struct StreamOrigin {
  std::string id{};
  std::string model{};
  std::int64_t created = 0;
  bool include_usage = false;  // OpenAI: the caller asked for the usage event at the end
};

// What a stream that broke off has said already, so that another can go on in its place.
struct RecoveryPoint {
  StreamOrigin origin{};
  bool text_open = false;        // its last words were text, to which more may be added
  std::uint32_t text_block = 0;  // Anthropic: the open text block's index; none open: the index of the next block
};

}  // namespace fuseboard::llm
