// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The simulated provider and tool server, for demos and tests.
//
//   sim::SimProvider provider({.seed = 7});
//   net::HttpServer server(loops, {}, provider.handler());
//   const auto port = server.listen("127.0.0.1", 0);
//
// Speaks OpenAI chat completions, responses and embeddings, Anthropic messages and MCP (Streamable HTTP), streaming
// included. What goes wrong is decided by the model's name (behaviour.h), by a fault script (fault_script.h), or both;
// see docs/simulated-provider.md.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "fuseboard/core/validation.h"
#include "net/server.h"
#include "sim/sim_options.h"

namespace fuseboard::sim {

// Thread-safe: one provider serves any number of loops. Bounded: 10 000 requests and the counts and rate limits of 1000
// models are kept, 1000 responses to go on from and 1000 MCP sessions; what is beyond is dropped, oldest first, or
// counted together.
class SimProvider {
 public:
  // Throws InvalidOptions. The clocks in `options` must outlive the handlers' last use.
  explicit SimProvider(SimOptions options = {});
  ~SimProvider();
  SimProvider(const SimProvider&) = delete;
  SimProvider& operator=(const SimProvider&) = delete;

  // Every handler shares this provider's state, which lives until the last of them is gone, this object or not.
  net::Handler handler() const;

  // What POST /sim/faults, POST /sim/reset and GET /sim/log do, for tests in the same process.
  std::expected<void, Problems> set_faults(std::string_view json);
  void reset();
  std::string log_json() const;

  struct State;  // private to sim

 private:
  std::shared_ptr<State> state_;
};

}  // namespace fuseboard::sim
