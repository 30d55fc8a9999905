// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the names of headers say of them: pure functions. Names are given in lower case.
#pragma once

#include <string>
#include <string_view>

namespace fuseboard::config {

std::string lowercase(std::string_view text);  // of ASCII

bool is_header_name(std::string_view text);

// Whether it concerns one connection, a body's length or coding, or Fuseboard itself: no caller's header of that name
// goes to a provider, whatever is configured.
bool is_never_forwarded(std::string_view lower);

// Whether it says who pays or who may: a credential under any of the names in use ("x-goog-api-key", "helicone-auth",
// "x-amz-security-token"), or the account that one is used for ("openai-organization"). Told by the words in the name,
// so that the next vendor's header is no surprise.
bool is_credential_header(std::string_view lower);

// Whether all of `text` is what `pattern` says, in which '*' stands for any characters, also none.
bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

}  // namespace fuseboard::config
