// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What is changed of a request on its way to a target of its own dialect: the model's name, and that usage is asked
// for. Every other byte stays.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "llm/request.h"

namespace fuseboard::llm {

// What stands for the bytes [begin, end) of a body.
struct Replacement {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

// Another model name, JSON-escaped. `facts` must be what parse_request made of this very body.
Replacement replace_model(const RequestFacts& facts, std::string_view model);

// The same, and `stream_options` that ask for usage; the other options stay. `facts` say that one may. Where the caller
// has options, what lies between them and the model is copied.
Replacement replace_model_and_ask_usage(std::string_view body, const RequestFacts& facts, std::string_view model);

// The body with another model name; every other byte stays.
std::string with_model(std::string_view body, const RequestFacts& facts, std::string_view model);

}  // namespace fuseboard::llm
