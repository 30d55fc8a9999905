// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// OpenAI's Responses API, for the rest of this module. It is relayed and never translated, so it has no codec.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "llm/stream_reader.h"

namespace fuseboard::llm {

std::unique_ptr<StreamReader> make_responses_reader(StreamReaderOptions options);

// An error inside a stream, which counts its events.
std::string responses_error_event(std::string_view code, std::string_view message, std::uint64_t sequence_number);

}  // namespace fuseboard::llm
