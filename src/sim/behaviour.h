// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The table of behaviours: what a model's name makes of a request.
//
// A name is `sim-…`, then `:PARAMETER` where the behaviour takes one, then `+` and further behaviours, then `#LABEL`:
// names that differ in their label behave alike and keep their own counts, so tests that share a provider do not
// disturb one another. Names that do not begin with `sim-` behave like sim-ok.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuseboard/core/time.h"
#include "sim/planned_fault.h"

namespace fuseboard::sim {

enum class ParameterKind : std::uint8_t { kNone, kDuration, kCount, kDurationOrCount };

// A parameter as read: one of the two, or a count of 0 for kNone.
struct Parameter {
  Duration duration{};
  std::uint64_t count = 0;
  bool is_duration = false;
};

// The circumstances that a behaviour may depend on besides its parameter.
struct Use {
  Parameter parameter;
  std::uint64_t nth = 0;   // how many requests have asked for this very name since the last reset, this one not counted
  Duration since_reset{};  // of the provider's clock
};

struct Behaviour {
  std::string_view name;
  ParameterKind kind;
  std::string_view default_parameter;  // empty for kNone
  std::string_view summary;
  void (*shape)(const Use& use, PlannedFault& planned);
};

// Every behaviour, sim-ok first. The documentation's table and GET /sim/models are made from it.
std::span<const Behaviour> behaviours();

// One behaviour of a name, with its parameter.
struct Trait {
  const Behaviour* behaviour;  // never null
  Parameter parameter;
};

// A name as read: 1 to kMaxTraits behaviours, which shape the planned fault one after another.
using ModelName = std::vector<Trait>;
inline constexpr std::size_t kMaxTraits = 8;

// What `model` asks for; the error says in words why there is no such model.
std::expected<ModelName, std::string> read_model_name(std::string_view model);

// The planned fault that the name alone gives.
PlannedFault planned_fault_of(const ModelName& name, std::uint64_t nth, Duration since_reset);

// The table as Markdown, for docs/simulated-provider.md.
std::string behaviours_markdown();

// The table as JSON, for GET /sim/models.
std::string behaviours_json();

}  // namespace fuseboard::sim
