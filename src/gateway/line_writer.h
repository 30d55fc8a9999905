// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Lines for somebody who may not read them: a log on a pipe or a terminal, a file on a slow disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "fuseboard/core/time.h"

namespace fuseboard::gateway {

struct LineWriterOptions {
  // Lines that wait, in bytes; as many again may be on their way to the system.
  std::size_t most_waiting = std::size_t{256} << 10;
  // A line that says how many were lost, its newline included. It stands where they would have stood.
  std::function<std::string(std::uint64_t lost)> lost_notice{};
};

// Whoever writes never waits: lines go through a bounded queue to a thread of the writer's own. Where that thread does
// not come on, a full pipe say, the lines that find the queue full are dropped and counted.
class LineWriter {
 public:
  // `descriptor` stays the caller's; it may be blocking.
  LineWriter(int descriptor, LineWriterOptions options);
  ~LineWriter();  // close() without patience
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Any thread. `line` ends with its newline. False: it was dropped, as is every line after close().
  bool write(std::string_view line);
  // Lines that were dropped, or that the system refused, ever. Any thread.
  std::uint64_t dropped() const noexcept;

  // Takes no more lines and waits until those that were taken are written, but not longer than `patience`: a thread
  // that still hangs in the system's call by then is left behind. The descriptor must stay open then. True: all is
  // written, or was refused by the system.
  bool close(Duration patience);

 private:
  struct State;
  static void run(State& state);

  // The thread holds it too, as it may be left behind.
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace fuseboard::gateway
