// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/sim_options.h"

namespace fuseboard::sim {

Problems SimOptions::validate() const {
  using namespace std::chrono_literals;
  Validator validator;
  validator.in_range("token_gap", token_gap, Duration::zero(), Duration(1min));
  validator.in_range("max_answer_tokens", max_answer_tokens, std::size_t{1}, std::size_t{100'000});
  validator.in_range("max_silence", max_silence, Duration(1ms), Duration(24h));
  validator.require(clock != nullptr, "clock", "null", "a clock");
  validator.require(wall_clock != nullptr, "wall_clock", "null", "a wall clock");
  return std::move(validator).take();
}

}  // namespace fuseboard::sim
