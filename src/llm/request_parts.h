// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What everything that reads requests has in common. Included by sources of this module alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "json/scan.h"
#include "llm/request.h"

namespace fuseboard::llm {

// "'param' problem."
RequestError wrong_parameter(std::string_view param, std::string_view code, std::string_view problem);

// With the line and column of the error; they count from 1, columns in bytes.
RequestError not_json(std::string_view body, const json::Error& error);

// Why a body has no json::Tree; nullopt: it is a JSON object and has one.
std::optional<RequestError> no_tree(std::string_view body);

// The text of a valid string literal; nullopt if it has no UTF-8 form (half a surrogate pair).
std::optional<std::string> decoded_literal(std::string_view literal);

// A member's value in a valid JSON object, as written; empty if `object` is none or has no such member. Of several
// the last.
std::string_view member_of(std::string_view object, std::string_view name);

// Absent, or null.
constexpr bool says_nothing(std::string_view value) noexcept { return value.empty() || value == "null"; }

// What inside a valid request ties it to the provider that keeps it (see RequestFacts::bound_by): references in
// `conversation`, which is `messages` or `input`, and in `tools`, which may be empty.
std::string_view binding_reference(std::string_view conversation, std::string_view tools);

}  // namespace fuseboard::llm
