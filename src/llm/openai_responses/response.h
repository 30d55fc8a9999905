// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The response object of OpenAI's Responses API, whole or in a stream's first and last events. Included by sources of
// this module alone.
#pragma once

#include <cstdint>
#include <string>

#include "json/document.h"
#include "llm/usage.h"

namespace fuseboard::llm {

struct ResponseObject {
  std::string id{};
  std::string model{};
  std::int64_t created = 0;
  std::string finish_reason{};  // `completed`, or why it is incomplete; empty: it goes on, or failed
  Usage usage{};
  bool has_output = false;  // an array
  SeenOutput seen{};        // in its output
  bool failed = false;
};

ResponseObject read_response(const json::Value& object);

}  // namespace fuseboard::llm
