// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The program's log: lines on stdout as they happen, also into a pipe, and never at the cost of whoever logs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "gateway/line_writer.h"

namespace fuseboard::cli {

// Makes spdlog's default logger write here for as long as it lives. Logging waits for nobody: while stdout takes
// nothing, lines are dropped beyond a bound, and counted.
class Log {
 public:
  Log();
  // Gives the lines that wait kFlushPatience to leave.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  static constexpr std::chrono::milliseconds kFlushPatience{500};

  std::uint64_t dropped() const noexcept { return writer_->dropped(); }

 private:
  const std::shared_ptr<gateway::LineWriter> writer_;
};

}  // namespace fuseboard::cli
