// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the tables of phrases have in common: the classes in which a phrase may speak, and what many rows mean.
#pragma once

#include "classify/conclusion.h"

namespace fuseboard::classify_internal {

// The classes in which a phrase may speak. 503s that are prose about credentials stay what their status says.
inline constexpr CategorySet kNone = {};
inline constexpr CategorySet kBad = {Category::invalid_request};
inline constexpr CategorySet kMissing = {Category::resource_not_found};
inline constexpr CategorySet kBadOrMissing = {Category::invalid_request, Category::resource_not_found};
inline constexpr CategorySet kDenied = {Category::permission_denied};
inline constexpr CategorySet kBadOrDenied = {Category::invalid_request, Category::permission_denied};
inline constexpr CategorySet kThrottle = {Category::rate_limit};
inline constexpr CategorySet kServer = {Category::service_unavailable};
inline constexpr CategorySet kBusy = {Category::service_unavailable, Category::rate_limit};
inline constexpr CategorySet kNet = {Category::network};
inline constexpr CategorySet kNoAnswer = {Category::network, Category::timeout};
// Lengths are refused with 400, 403 (Together), 413, 422 and 500 (llama.cpp, LM Studio).
inline constexpr CategorySet kLength = {Category::invalid_request, Category::permission_denied,
                                        Category::service_unavailable};
// Credit runs out with 400, 402, 403, 412 and 429.
inline constexpr CategorySet kCredit = {Category::invalid_request, Category::permission_denied, Category::rate_limit};

inline constexpr Conclusion kTooLong = Conclusion(Category::context_length_exceeded);
inline constexpr Conclusion kNoModel = Conclusion(Category::model_not_found);
inline constexpr Conclusion kCapability = Conclusion(Category::invalid_request, Modifier::capability_mismatch);
inline constexpr Conclusion kUntrusted = Conclusion(Category::network, Modifier::untrusted_certificate);
inline constexpr Conclusion kBroke = Conclusion(Category::execution_error, Modifier::callee_broke);
inline constexpr Conclusion kSpent = Conclusion(Category::quota_exhausted);
inline constexpr Conclusion kSandbox = Conclusion(PolicyDetail::sandbox);
inline constexpr Conclusion kPlanning = Conclusion(PolicyDetail::planning);
inline constexpr Conclusion kGuardrail = Conclusion(PolicyDetail::guardrail);
inline constexpr Conclusion kBudget = Conclusion(PolicyDetail::budget);

}  // namespace fuseboard::classify_internal
