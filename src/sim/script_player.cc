// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/script_player.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "fuseboard/core/glob.h"
#include "fuseboard/core/rng.h"
#include "sim/behaviour.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

Duration length_of_round(const FaultScript& script) {
  Duration sum{};
  for (const Phase& phase : script.phases) {
    if (!phase.lasts) return Duration::zero();
    sum = saturating_add(sum, *phase.lasts);
  }
  return sum;
}

void end_stream(const Fault& fault, PlannedFault::Ending ending, std::string_view name, PlannedFault& planned) {
  // A refusal has no stream that could end.
  if (planned.opening != PlannedFault::Opening::kAnswer) return;
  planned.ending = ending;
  planned.after_tokens = fault.after_tokens;
  planned.behaviour = name;
}

// Latency is applied by the caller, which holds the draws. The script's word replaces the name's, but not its pace.
void apply_fault(const Fault& fault, PlannedFault& planned) {
  switch (fault.kind) {
    case FaultKind::kLatency:
      return;
    case FaultKind::kStatus:
      planned.opening = PlannedFault::Opening::kError;
      planned.error = kind_of_status(fault.status);
      planned.status = fault.status;
      planned.retry_after = fault.retry_after;
      planned.message.clear();
      planned.param.clear();
      planned.behaviour = "script:status";
      return;
    case FaultKind::kReset:
      planned.opening = PlannedFault::Opening::kReset;
      planned.behaviour = "script:reset";
      return;
    case FaultKind::kSilence:
      planned.opening = PlannedFault::Opening::kSilence;
      planned.behaviour = "script:silence";
      return;
    case FaultKind::kStall:
      return end_stream(fault, PlannedFault::Ending::kStall, "script:stall", planned);
    case FaultKind::kStreamCut:
      return end_stream(fault, PlannedFault::Ending::kCut, "script:stream_cut", planned);
    case FaultKind::kBehaviour: {
      const Duration wait = planned.wait;
      if (const auto name = read_model_name(fault.behaviour)) planned = planned_fault_of(*name, 0, Duration::zero());
      planned.wait = saturating_add(planned.wait, wait);
      planned.behaviour.insert(0, "script:");
      return;
    }
  }
}

}  // namespace

ScriptPlayer::ScriptPlayer(TimePoint now, FaultScript script, std::uint64_t seed)
    : script_(std::move(script)),
      seed_(script_.seed.value_or(seed)),
      round_(length_of_round(script_)),
      phase_began_(now) {}

void ScriptPlayer::next_phase(TimePoint at) {
  phase_began_ = at;
  taken_ = 0;
  if (++index_ == script_.phases.size() && script_.repeat) index_ = 0;
}

void ScriptPlayer::advance(TimePoint now) {
  // Whole rounds are skipped by arithmetic, so an idle night costs nothing; then at most one round is walked.
  if (script_.repeat && round_ > Duration::zero()) {
    const Duration since = elapsed(phase_began_, now);
    phase_began_ = saturating_add(phase_began_, since - since % round_);
  }
  while (!over()) {
    const Phase& phase = script_.phases[index_];
    if (phase.lasts) {
      if (elapsed(phase_began_, now) < *phase.lasts) return;
      next_phase(saturating_add(phase_began_, *phase.lasts));
    } else {
      if (taken_ < phase.requests) return;
      next_phase(now);
    }
  }
}

void ScriptPlayer::apply(TimePoint now, const Request& request, PlannedFault& planned) {
  advance(now);
  if (over()) return;
  const Phase& phase = script_.phases[index_];
  if (!glob_match(phase.model, request.model) || !glob_match(phase.path, request.path)) return;
  ++taken_;
  for (std::size_t i = 0; i < phase.faults.size(); ++i) {
    const Fault& fault = phase.faults[i];
    // Each fault draws from its own source, so that editing one leaves the chances of the others as they were.
    Rng rng(mix(mix(mix(seed_, index_), i), request.ordinal));
    if (rng.uniform() >= fault.rate) continue;
    if (fault.kind == FaultKind::kLatency) {
      const double first = rng.uniform();
      planned.wait = saturating_add(planned.wait, sample_latency(fault.p50, fault.p99, first, rng.uniform()));
      continue;
    }
    apply_fault(fault, planned);
    return;
  }
}

Duration sample_latency(Duration p50, Duration p99, double first_uniform, double second_uniform) {
  if (p50 <= Duration::zero() || p99 <= p50) return p50;
  constexpr double kZ99 = 2.3263478740408408;  // the 99th percentile of the standard normal distribution
  const double sigma = std::log(static_cast<double>(p99.count()) / static_cast<double>(p50.count())) / kZ99;
  // Box-Muller; 1 - u because log(0) is no number.
  const double normal =
      std::sqrt(-2.0 * std::log(1.0 - first_uniform)) * std::cos(2.0 * std::numbers::pi * second_uniform);
  return std::min(saturating_scale(p50, std::exp(sigma * normal)), saturating_scale(p99, 10.0));
}

}  // namespace fuseboard::sim
