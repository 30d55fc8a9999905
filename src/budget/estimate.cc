// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/budget/estimate.h"

#include <limits>

namespace fuseboard {

Problems EstimationOptions::validate() const {
  Validator validator;
  validator.in_range<std::uint64_t>("bytes_per_token", bytes_per_token, 1, 1000);
  validator.in_range<std::uint64_t>("tokens_per_image", tokens_per_image, 0, 1'000'000);
  validator.in_range<std::uint64_t>("assumed_output_tokens", assumed_output_tokens, 0, 10'000'000);
  return std::move(validator).take();
}

TokenUsage estimate_usage(const RequestSize& size, const EstimationOptions& options) noexcept {
  const std::uint64_t text =
      size.text_bytes / options.bytes_per_token + (size.text_bytes % options.bytes_per_token != 0 ? 1 : 0);
  std::uint64_t images = 0;
  if (__builtin_mul_overflow(size.images, options.tokens_per_image, &images)) {
    images = std::numeric_limits<std::uint64_t>::max();
  }
  return {.input = saturating_sum(text, images), .output = size.output_cap.value_or(options.assumed_output_tokens)};
}

UsageEstimator estimator_by_size(const EstimationOptions& options) {
  throw_if_invalid(options.validate());
  return [options](const RequestSize& size) { return estimate_usage(size, options); };
}

}  // namespace fuseboard
