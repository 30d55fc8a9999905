// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <iterator>

#include "json/string.h"
#include "llm/openai_responses/responses.h"

namespace fuseboard::llm {

std::string responses_error_event(std::string_view code, std::string_view message, std::uint64_t sequence_number) {
  std::string out = "event: error\ndata: {\"type\":\"error\",\"code\":";
  json::append_string_or_null(out, code);
  out += R"(,"message":)";
  json::append_string(out, message);
  fmt::format_to(std::back_inserter(out), ",\"param\":null,\"sequence_number\":{}}}\n\n", sequence_number);
  return out;
}

}  // namespace fuseboard::llm
