// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "cli/commands.h"
#include "cli/signals.h"
#include "fuseboard/core/escape.h"
#include "net/loop.h"
#include "net/server.h"
#include "sim/sim_provider.h"

namespace fuseboard::cli {

int sim_provider(const SimProviderArguments& arguments) {
  const EndSignals signals;
  raise_descriptor_limit();
  sim::SimProvider provider({.seed = arguments.seed});
  if (arguments.faults) {
    std::ifstream file(*arguments.faults, std::ios::binary);
    if (!file) {
      fmt::print(stderr, "fuseboard: {}: cannot be read\n", escape_unprintable(*arguments.faults));
      return kWrong;
    }
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (const auto set = provider.set_faults(text); !set) {
      for (const Problem& problem : set.error()) {
        fmt::print(stderr, "{}: {}\n", escape_unprintable(*arguments.faults), escape_unprintable(problem.message()));
      }
      return kWrong;
    }
  }
  net::LoopGroup loops(1);
  net::HttpServer server(loops, {}, provider.handler());
  const auto port = server.listen("127.0.0.1", arguments.port);
  if (!port) {
    fmt::print(stderr, "fuseboard: {}\n", port.error());
    return kWrong;
  }
  fmt::print("Simulated provider on http://127.0.0.1:{}/v1 (models: GET /sim/models, log: GET /sim/log)\n", *port);
  std::fflush(stdout);
  while (signals.wait() == EndSignals::Wake::hangup) {
  }
  loops.stop();
  return kDone;
}

}  // namespace fuseboard::cli
