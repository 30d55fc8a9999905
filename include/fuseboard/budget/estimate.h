// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How many tokens a call will use, guessed before it is sent [BUD-5].
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "fuseboard/budget/price.h"
#include "fuseboard/core/validation.h"

namespace fuseboard {

// What is known of a request before it is sent.
struct RequestSize {
  std::uint64_t text_bytes = 0;  // of what the model reads: messages, tool schemas
  std::uint64_t images = 0;
  std::optional<std::uint64_t> output_cap{};  // the request's own limit on output tokens
};

// The built-in guess.
struct EstimationOptions {
  std::uint64_t bytes_per_token = 4;           // 1 to 1000
  std::uint64_t tokens_per_image = 512;        // 0 to 1 000 000
  std::uint64_t assumed_output_tokens = 1024;  // of a request without an output cap; 0 to 10 000 000

  Problems validate() const;
};

// Rounded up; saturates. `options` are valid.
TokenUsage estimate_usage(const RequestSize& size, const EstimationOptions& options = {}) noexcept;

// A guess of one's own, say with a tokenizer. Called without any lock of the library held, from any thread.
using UsageEstimator = std::function<TokenUsage(const RequestSize&)>;
// Throws InvalidOptions.
UsageEstimator estimator_by_size(const EstimationOptions& options = {});

}  // namespace fuseboard
