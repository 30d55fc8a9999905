// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reading JSON whose shape is anybody's guess: nothing here throws on a shape that is not what it should be.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace fuseboard::sim {

// A member of an object, or null.
const nlohmann::json& member(const nlohmann::json& value, std::string_view key);

// A member that is a text, or an empty one.
std::string text_member(const nlohmann::json& value, std::string_view key);

inline bool is_true(const nlohmann::json& value) { return value.is_boolean() && value.get<bool>(); }
inline bool is_false(const nlohmann::json& value) { return value.is_boolean() && !value.get<bool>(); }

// Appends the text of a message's content: a string, or the texts of its parts, those inside tool results included.
void append_text(const nlohmann::json& content, std::string& text);

// An object that fits a JSON schema as far as its required fields go, as ASCII text: a stream may be cut anywhere
// without splitting a character.
std::string sample_arguments(const nlohmann::json& schema);

}  // namespace fuseboard::sim
