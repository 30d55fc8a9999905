// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A plain answer of which only the beginning came: it is billed nevertheless [BUD-10].
#pragma once

#include <string>
#include <string_view>

#include "llm/dialect.h"
#include "llm/usage.h"

namespace fuseboard::llm {

// As far as it came.
struct AnswerSoFar {
  Usage usage{};
  SeenOutput seen{};
};

// Nothing where it is no JSON that an endpoint of this kind answers with. Thread-safe; linear; copies what it reads.
AnswerSoFar read_begun_answer(Endpoint endpoint, std::string_view begun);

// JSON that breaks off anywhere, made whole: a text is ended where it stands, and a member or an element of which less
// came is left out. What is no JSON, or nested deeper than json::kMaxDepth, remains so.
std::string ended_json(std::string_view begun);

}  // namespace fuseboard::llm
