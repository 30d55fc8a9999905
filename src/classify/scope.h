// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What a refusal speaks of, by its own words: a model, an endpoint, what the caller added, or this one request.
#pragma once

#include <string_view>

#include "classify/words.h"
#include "fuseboard/core/category.h"
#include "fuseboard/core/outcome.h"

namespace fuseboard::classify_internal {

// The refusals that are held against others than their own call, and so are asked what they speak of.
inline constexpr CategorySet kScoped = {Category::rate_limit, Category::quota_exhausted, Category::authentication};

// `unnamed` where the text, or the code, names none.
FailureScope scope_in(const Words& words) noexcept;
FailureScope scope_of_code(std::string_view code) noexcept;

// "Limit 10000, Used 0, Requested 50000": no wait makes room for it.
bool requests_more_than_limit(const Words& words) noexcept;

}  // namespace fuseboard::classify_internal
