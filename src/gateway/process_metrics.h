// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What the system says of this process, under the names that Prometheus clients use for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fuseboard/telemetry/exposition.h"

namespace fuseboard::gateway {

struct ProcessFigures {
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  double started_after_boot = 0;  // seconds
};

// Of the text of /proc/self/stat (proc(5)); nullopt where it is none.
std::optional<ProcessFigures> parse_process_stat(std::string_view stat, std::uint64_t ticks_a_second,
                                                 std::uint64_t page_bytes);

// Reads /proc; what cannot be read is left out.
void write_process(telemetry::Exposition& out);

}  // namespace fuseboard::gateway
