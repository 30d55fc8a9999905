// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Why a model's answer is none, in the words of cause.h. Pure functions.
#pragma once

#include <string>

#include "llm/answer.h"
#include "net/http.h"

namespace fuseboard::gateway {

// An answer that is none: "answered 503: the engine is overloaded". A redirect names the origin alone that it leads to.
std::string cause_of_answer(const net::ResponseHead& head, const llm::ErrorDetails& error);

// Of an answer under a success that breaks its dialect's rules or says that it is an error.
std::string cause_of_content(const llm::ErrorDetails& error);

}  // namespace fuseboard::gateway
