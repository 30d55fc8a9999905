// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The built-in demo: two simulated providers on loopback, a configuration that uses them, and a trickle of calls.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "config/config.h"

namespace fuseboard::gateway {

// Runs from start() to destruction, on a loop of its own. Sends nothing to other machines.
class Demo {
 public:
  Demo();
  ~Demo();
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

  // Starts the providers. The configuration to serve, or why there is none.
  std::expected<config::Config, std::string> start(const config::ListenAddress& listen);

  // Sends two calls a second to the gateway on this loopback port, so that breakers have something to judge.
  void send_traffic(std::uint16_t gateway_port);

  // The alias that the configuration offers.
  static constexpr const char* kModel = "demo";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fuseboard::gateway
