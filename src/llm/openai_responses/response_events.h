// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A whole response of OpenAI's Responses API as the events of a stream, for a provider that answers a stream's request
// with JSON.
#pragma once

#include <string>
#include <string_view>

namespace fuseboard::llm {

// `body` has passed json::validate, and is a response that has ended (`completed` or `incomplete`). Each item is shown
// at its begin, with its text or arguments in one delta, and at its end; what is in it besides comes with its end.
// https://platform.openai.com/docs/api-reference/responses-streaming
std::string response_events(std::string_view body);

}  // namespace fuseboard::llm
